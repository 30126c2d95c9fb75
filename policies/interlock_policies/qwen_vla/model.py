"""The model itself: Qwen3.5 of `transformers` and the action decoder, from local folders and to them. Needs torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from transformers import Qwen2VLImageProcessorPil, Qwen3_5Config, Qwen3_5ForConditionalGeneration

from interlock.chunk import Model
from interlock.errors import UnusableInput
from interlock.jsonform import Json, canonical, digest, from_json, parse, to_json
from interlock_policies.answer import Undecodable

from .adapter import Numbers, Padded, Pixels
from .decoder import ActionDecoder
from .sizes import Sizes

CONFIG, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"
MOST_BYTES: Final = {CONFIG: 2**16, TOKENIZER: 2**26}  # Qwen's tokenizer has some 2^24
DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}
HELD: Final = frozenset({"F32", "BF16", "F16"})  # what a file may hold weights in
TIED: Final = ("backbone.lm_head.weight", "backbone.model.language_model.embed_tokens.weight")
SHOWN: Final = 8


class LocalQwenVla(nn.Module):
    """A Qwen-VLA with weights, which are taken to stay as they are once their digest was asked for."""

    def __init__(self, sizes: Sizes, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.sizes = sizes
        self.tokenizer = tokenizer
        self.tokenizer.encode_special_tokens = True  # of a task that spells one, the letters are meant
        self.backbone = Qwen3_5ForConditionalGeneration(Qwen3_5Config(**sizes.backbone))
        self.decoder = ActionDecoder(sizes.decoder, sizes.text.width)
        vision, images = sizes.vision, sizes.images
        self._pictures = Qwen2VLImageProcessorPil(
            size={"shortest_edge": images.fewest, "longest_edge": images.most},
            image_mean=list(images.mean),
            image_std=list(images.std),
            patch_size=vision.patch,
            temporal_patch_size=vision.frames,
            merge_size=vision.merge,
        )
        self._digest = ""

    def described(self, name: str) -> Model:
        """What a chunk says of this model: the digest of its weights, whichever files hold them, and as its revision
        that of sizes and tokenizer.
        """
        if not self._digest:
            self._digest = digest({name: _tensor_digest(tensor) for name, tensor in self.weights().items()})
        revision = digest({"sizes": to_json(self.sizes), "tokenizer": self.tokenizer.to_str()})
        return Model(name, revision, self._digest)

    def weights(self) -> dict[str, Tensor]:
        """Every weight by name, what is tied once."""
        every = self.state_dict()
        return {name: tensor for name, tensor in every.items() if not (self.sizes.text.tied and name == TIED[0])}

    def actions(
        self, sentence: str, images: tuple[Pixels, ...], noise: Numbers, mask: npt.NDArray[np.bool_], steps: int
    ) -> Padded:
        """Actions (H, K) from noise (H, K), and the mask that they were sampled with; raises Undecodable for images
        and text that do not come to tokens, or to more of them than the model has positions.
        """
        weight = self.decoder.context_in.weight
        with torch.inference_mode():
            context = self._context(sentence, images)
            start = torch.from_numpy(noise).to(dtype=weight.dtype, device=weight.device)
            counts = torch.from_numpy(mask).to(device=weight.device)
            found = self.decoder.sample(context, start, counts, steps)
        return found.to(dtype=torch.float32, device="cpu").numpy(), counts.to(device="cpu").numpy()

    def _context(self, sentence: str, images: tuple[Pixels, ...]) -> Tensor:
        """The backbone's last hidden states (L, width) of images, each between its marks, and the sentence."""
        tokens, vision = self.sizes.tokens, self.sizes.vision
        try:
            seen = self._pictures(images=list(images), input_data_format="channels_last", return_tensors="pt")
        except ValueError as error:
            raise Undecodable(f"images: {error}") from error
        grids: Tensor = seen["image_grid_thw"]
        ids: list[int] = []
        for patches in grids.prod(dim=1).tolist():
            ids += [tokens.vision_start, *[tokens.image] * (patches // vision.merge**2), tokens.vision_end]
        said = self.tokenizer.encode(sentence, add_special_tokens=False).ids
        if not said or max(said) >= self.sizes.text.vocabulary or set(said) & set(tokens.all):
            raise Undecodable("the sentence comes to no tokens, to unknown ones, or to those of images")
        ids += said
        if len(ids) > self.sizes.text.positions:
            raise Undecodable(f"{len(ids)} tokens, at most {self.sizes.text.positions}")
        weight = self.decoder.context_in.weight
        input_ids = torch.tensor([ids], device=weight.device)
        found = self.backbone.model(
            input_ids=input_ids,
            attention_mask=torch.ones_like(input_ids),
            mm_token_type_ids=(input_ids == tokens.image).to(dtype=torch.int64),
            pixel_values=seen["pixel_values"].to(dtype=weight.dtype, device=weight.device),
            image_grid_thw=grids.to(device=weight.device),
            use_cache=False,
        )
        hidden: Tensor = found.last_hidden_state
        return hidden[0]

    def save_pretrained(self, where: str | Path) -> None:
        """Writes sizes, tokenizer and weights into a folder, which is made if it is not there."""
        folder = Path(where)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_bytes(canonical(to_json(self.sizes)))
        (folder / TOKENIZER).write_text(self.tokenizer.to_str(), encoding="utf-8")
        save_file({name: tensor.contiguous() for name, tensor in self.weights().items()}, folder / WEIGHTS)


def load(folder: Path, names: Callable[[str], str | None]) -> LocalQwenVla:
    """The model in a folder: see `interlock_policies.qwen_vla.from_pretrained`."""
    if not folder.is_dir():
        raise UnusableInput(f"{folder} is no folder; nothing is downloaded")
    sizes = from_json(Sizes, parse(_limited(folder, CONFIG), str(folder / CONFIG)), CONFIG)
    tokenizer = _tokenizer(folder)
    with torch.device("meta"):  # names and shapes without memory
        model = LocalQwenVla(sizes, tokenizer)
    places = _places(folder, names)
    _compare(model.weights(), places)
    tensors = {name: _read(place, key, DTYPES[sizes.dtype]) for name, (place, key, _) in places.items()}
    if sizes.text.tied:
        tensors[TIED[0]] = tensors[TIED[1]]
    model.load_state_dict(tensors, strict=True, assign=True)
    _fill(model)
    return model.eval()


def untrained(sizes: Sizes, tokenizer: Tokenizer, seed: int) -> LocalQwenVla:
    """A model of random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LocalQwenVla(sizes, tokenizer).to(dtype=DTYPES[sizes.dtype]).eval()


def shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of a model, without making one."""
    with torch.device("meta"):
        model = LocalQwenVla(sizes, letters())
    return {name: tuple(tensor.shape) for name, tensor in model.weights().items()}


def letters() -> Tokenizer:
    """A tokenizer whose tokens are the 256 bytes, for models that know no words."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    found = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    found.decoder = decoders.ByteLevel()
    return found


Place = tuple[Path, str, tuple[int, ...]]
"""A file, the name that it has for a weight, and its shape."""


def _limited(folder: Path, name: str) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            found = file.read(MOST_BYTES[name] + 1)
    except OSError as error:
        raise UnusableInput(f"{folder}: {name}: {error.strerror}") from error
    if len(found) > MOST_BYTES[name]:
        raise UnusableInput(f"{folder}: {name} has more than {MOST_BYTES[name]} bytes")
    return found


def _tokenizer(folder: Path) -> Tokenizer:
    try:
        return Tokenizer.from_buffer(_limited(folder, TOKENIZER))
    except UnusableInput:
        raise
    except Exception as error:  # tokenizers raises no other
        raise UnusableInput(f"{folder}: {TOKENIZER}: {error}") from error


def _places(folder: Path, names: Callable[[str], str | None]) -> dict[str, Place]:
    """Where each weight is; raises UnusableInput."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise UnusableInput(f"{folder} has no *.safetensors; weights in other formats are not read")
    found: dict[str, Place] = {}
    for path in files:
        for key, shape in _header(path):
            name = names(key)
            if name is None:
                continue
            if name in found:
                raise UnusableInput(f"{path.name}: {key!r} is {name!r}, which {found[name][0].name} has too")
            found[name] = path, key, shape
    return found


def _header(path: Path) -> Iterable[tuple[str, tuple[int, ...]]]:
    try:
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                part = file.get_slice(key)
                if part.get_dtype() not in HELD:
                    raise UnusableInput(f"{path.name}: {key!r} is {part.get_dtype()}, expected one of {sorted(HELD)}")
                yield key, tuple(part.get_shape())
    except (SafetensorError, OSError) as error:
        raise UnusableInput(f"{path.name} cannot be read as safetensors: {error}") from error


def _read(path: Path, key: str, dtype: torch.dtype) -> Tensor:
    """A weight in memory of its own: in its file it is aligned otherwise, and kernels round otherwise there."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.get_tensor(key).to(dtype=dtype, copy=True)
    except (SafetensorError, OSError) as error:
        raise UnusableInput(f"{path.name}: {key!r} cannot be read: {error}") from error


def _compare(wanted: Mapping[str, Tensor], places: Mapping[str, Place]) -> None:
    """Raises UnusableInput that names every weight that is missing, that no one wants, or that has another shape."""
    wrong = {
        "missing": [name for name in wanted if name not in places],
        "not wanted": [name for name in places if name not in wanted],
        "of another shape": [
            f"{name} {places[name][2]} for {tuple(tensor.shape)}"
            for name, tensor in wanted.items()
            if name in places and places[name][2] != tuple(tensor.shape)
        ],
    }
    said = [f"{len(names)} {what}: {_some(names)}" for what, names in wrong.items() if names]
    if said:
        raise UnusableInput(f"the weights are not those of the sizes in {CONFIG}; {'; '.join(said)}")


def _some(names: list[str]) -> str:
    return ", ".join(sorted(names)[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _fill(model: LocalQwenVla) -> None:
    """Computes what no file holds: the rates of rotary positions, which were made without memory."""
    model.backbone.tie_weights()
    for module in model.modules():
        own = dict(module.named_buffers(recurse=False))
        if any(buffer.is_meta for buffer in own.values()):
            rotary: Any = module
            fresh = dict(type(rotary)(rotary.config).named_buffers(recurse=False))
            for name in own:
                setattr(module, name, fresh[name])
    empty = [name for name, tensor in (*model.named_parameters(), *model.named_buffers()) if tensor.is_meta]
    if empty:
        raise UnusableInput(f"this version of transformers has what nothing fills: {_some(empty)}")


def _tensor_digest(tensor: Tensor) -> Json:
    raw = tensor.detach().to(device="cpu").contiguous().reshape(-1).view(torch.uint8).numpy()
    return [str(tensor.dtype), list(tensor.shape), hashlib.sha256(raw.tobytes()).hexdigest()]
