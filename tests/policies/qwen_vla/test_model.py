"""A model goes to a folder and comes back the same, to the bit; a folder that holds another one is refused by name."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlock.errors import UnusableInput
from interlock_policies.noise import noise
from interlock_policies.qwen_vla import from_pretrained, tiny_size, untrained
from tests.policies.promised import refused_by
from tests.policies.qwen_vla.tiny import ACTIONS, CHANNELS, ROWS, SIZES, STEPS, adapter, seen

torch: Any = pytest.importorskip("torch", reason="needs torch, of the extra `policies`")
model: Any = pytest.importorskip("interlock_policies.qwen_vla.model")
safetensors: Any = pytest.importorskip("safetensors.torch")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tiny() -> Any:
    return untrained(SIZES, 0)


@pytest.fixture
def folder(tiny: Any, tmp_path: Path) -> Path:
    tiny.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_the_tiny_model_has_every_part_of_the_large_one(tiny: Any) -> None:
    names = set(tiny.weights())

    assert 250_000 < sum(tensor.numel() for tensor in tiny.weights().values()) < 350_000
    for part in ("visual.merger", "layers.0.linear_attn", "layers.3.self_attn", "language_model.embed_tokens"):
        assert any(part in name for name in names)
    assert "backbone.lm_head.weight" not in names  # tied


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tiny: Any) -> None:
    policy = adapter(tiny)

    first, again, other = (policy.answer(seen(), seed) for seed in (11, 11, 12))

    assert first.decode == "ok"
    assert first.values.tobytes() == again.values.tobytes() != other.values.tobytes()
    assert first.raw_digest == again.raw_digest != other.raw_digest
    assert first.noise == again.noise != other.noise


def test_the_same_weights_from_a_folder_give_the_same_bytes(tiny: Any, folder: Path) -> None:
    read = from_pretrained(folder)

    first, again = adapter(tiny).answer(seen(), 11), adapter(read).answer(seen(), 11)

    assert read.described("tiny") == tiny.described("tiny")
    assert first.values.tobytes() == again.values.tobytes()
    assert first.raw_digest == again.raw_digest


def test_images_words_and_steps_all_count(tiny: Any) -> None:
    policy, dark = adapter(tiny), np.zeros((48, 64, 3), dtype=np.uint8)
    answers = [
        policy.answer(seen(), 3),
        policy.answer(seen(dark), 3),
        policy.answer(seen(instruction="go"), 3),
        adapter(tiny, steps=STEPS + 1).answer(seen(), 3),
    ]

    assert {answer.decode for answer in answers} == {"ok"}
    assert len({answer.values.tobytes() for answer in answers}) == 4


def test_what_a_model_that_knows_nothing_says_is_physical_and_judged(tiny: Any) -> None:
    policy = adapter(tiny)

    found = refused_by(policy.contract, policy.answer(seen(), 3), ACTIONS)

    assert found  # its rows jump about
    assert found.isdisjoint(f"check:{name}" for name in ("decode", "finite", "mask", "normalisation", "shape"))


def test_golden_each_image_becomes_as_many_tokens_as_it_has_patches_merged(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 48 x 64 pixels, in patches of 8, 2 x 2 of them merged: 3 x 4 tokens of an image, then the words, a byte each.
    asked: dict[str, Any] = {}
    run = tiny.backbone.model.forward

    def listening(**inputs: Any) -> Any:
        asked.update(inputs)
        return run(**inputs)

    monkeypatch.setattr(tiny.backbone.model, "forward", listening)

    tiny.actions(
        "go", (np.zeros((48, 64, 3), np.uint8),), noise(0, (ROWS, CHANNELS)), np.ones((ROWS, CHANNELS), bool), 1
    )

    letters = sorted(model.pre_tokenizers.ByteLevel.alphabet())
    assert asked["input_ids"].tolist() == [[258, *[256] * 12, 259, letters.index("g"), letters.index("o")]]
    assert asked["mm_token_type_ids"].tolist() == [[0, *[1] * 12, 0, 0, 0]]
    assert asked["image_grid_thw"].tolist() == [[1, 6, 8]]
    assert asked["pixel_values"].shape == (48, 3 * 2 * 8 * 8)
    assert set(asked["pixel_values"].unique().tolist()) == {-1.0}  # (0 - 0.5) / 0.5


def test_F48_a_task_that_spells_a_special_token_comes_to_letters(tiny: Any, folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    special = {"id": 256, "content": "<|image_pad|>", "single_word": False, "lstrip": False, "rstrip": False}
    tokenizer["added_tokens"] = [{**special, "normalized": False, "special": True}]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    read = from_pretrained(folder)

    decoded = adapter(read).answer(seen(instruction="<|image_pad|>"), 3)

    assert decoded.decode == "ok"
    assert decoded.values.tobytes() == adapter(tiny).answer(seen(instruction="<|image_pad|>"), 3).values.tobytes()
    assert read.described("tiny") != tiny.described("tiny")  # the tokenizer is another one


def test_F12_a_tokenizer_of_another_model_is_a_failed_decode(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] = {letter: index + 100 for letter, index in tokenizer["model"]["vocab"].items()}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))

    decoded = adapter(from_pretrained(folder)).answer(seen(), 3)

    assert (decoded.decode, decoded.reason[:12]) == ("failed", "the sentence")


def test_F12_more_tokens_than_there_are_positions_are_a_failed_decode(tiny: Any) -> None:
    decoded = adapter(tiny).answer(seen(instruction="ö" * 2000), 3)

    assert decoded.decode == "failed"
    assert decoded.reason.endswith(" tokens, at most 4096")


def test_an_image_that_cannot_be_resized_is_a_failed_decode(tiny: Any) -> None:
    decoded = adapter(tiny).answer(seen(np.zeros((2, 1000, 3), np.uint8)), 3)

    assert decoded.decode == "failed"
    assert decoded.reason.startswith("images: ")


def test_F01_weights_of_nan_are_a_failed_decode(folder: Path) -> None:
    broken: Any = from_pretrained(folder)
    with torch.no_grad():
        broken.decoder.actions_out[2].bias[0] = float("nan")
    policy = adapter(broken)

    decoded = policy.answer(seen(), 3)

    assert (decoded.decode, decoded.reason) == ("failed", "actions are not finite")
    assert np.isnan(decoded.values).all()


def test_a_model_in_half_precision_is_asked_in_its_own() -> None:
    half = untrained(replace(SIZES, dtype="bfloat16"), 0)

    decoded = adapter(half).answer(seen(), 3)

    assert decoded.decode == "ok"
    assert next(half.parameters()).dtype == torch.bfloat16


Change = Callable[[dict[str, Any]], None]


def changed(folder: Path, change: Change) -> None:
    weights = safetensors.load_file(folder / "model.safetensors")
    change(weights)
    safetensors.save_file(weights, folder / "model.safetensors")


def lose(weights: dict[str, Any]) -> None:
    del weights["decoder.context_in.weight"]


def add(weights: dict[str, Any]) -> None:
    weights["decoder.blocks.9.modulation.weight"] = torch.zeros(1)


def turn(weights: dict[str, Any]) -> None:
    weights["decoder.actions_out.2.bias"] = torch.zeros(13)


def lose_many(weights: dict[str, Any]) -> None:
    for name in [name for name in weights if name.startswith("backbone.")]:
        del weights[name]


def count(weights: dict[str, Any]) -> None:
    weights["decoder.actions_out.2.bias"] = torch.zeros(12, dtype=torch.int64)


OTHERS: dict[str, tuple[Change, str]] = {
    "a weight is missing": (lose, r"1 missing: decoder\.context_in\.weight$"),
    "a weight too many": (add, r"1 not wanted: decoder\.blocks\.9\.modulation\.weight$"),
    "another shape": (turn, r"1 of another shape: decoder\.actions_out\.2\.bias \(13,\) for \(12,\)$"),
    "no backbone": (lose_many, r"missing: backbone\..* and \d+ more$"),
    "whole numbers": (count, r"'decoder\.actions_out\.2\.bias' is I64, expected one of"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_F08_weights_of_another_model_are_refused_by_name(what: str, folder: Path) -> None:
    change, complaint = OTHERS[what]
    changed(folder, change)

    with pytest.raises(UnusableInput, match=complaint):
        from_pretrained(folder)


def replaced(name: str, raw: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(raw)

    return change


def removed(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()

    return change


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "kept")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({}))


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def resized(folder: Path) -> None:
    (folder / "config.json").write_bytes(model.canonical(model.to_json(tiny_size(rows=ROWS, channels=CHANNELS + 1))))


def twice(folder: Path) -> None:
    (folder / "more.safetensors").write_bytes((folder / "model.safetensors").read_bytes())


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "no sizes": (removed("config.json"), "config.json: No such file"),
    "sizes that are no JSON": (replaced("config.json", b"{"), "not JSON"),
    "an unknown key": (replaced("config.json", b'{"text": {}, "trust_remote_code": true}'), "unknown key"),
    "sizes without end": (replaced("config.json", b" " * 70_000), "has more than 65536 bytes"),
    "no tokenizer": (removed("tokenizer.json"), "tokenizer.json: No such file"),
    "a tokenizer that is none": (replaced("tokenizer.json", b"{}"), r"tokenizer.json: "),
    "pickled weights": (pickled, r"has no \*.safetensors"),
    "weights cut off": (cut, "cannot be read as safetensors"),
    "no weights at all": (replaced("model.safetensors", b""), "cannot be read as safetensors"),
    "sizes of another model": (resized, "of another shape: decoder.actions_in"),
    "weights twice": (twice, "which model.safetensors has too"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_folder_that_holds_something_else_is_refused(what: str, folder: Path) -> None:
    change, complaint = BAD[what]
    change(folder)

    with pytest.raises(UnusableInput, match=complaint):
        from_pretrained(folder)


@pytest.mark.parametrize("name", ["Qwen/Qwen-VLA", "config.json"])
def test_a_name_that_is_no_folder_is_refused_and_nothing_is_downloaded(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    with pytest.raises(UnusableInput, match="is no folder; nothing is downloaded"):
        from_pretrained(tmp_path / name)


def test_weights_under_other_names_and_in_several_files_are_read(tiny: Any, folder: Path) -> None:
    weights = safetensors.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    decoder = {f"dit.{name.removeprefix('decoder.')}": weights[name] for name in weights if name.startswith("decoder.")}
    backbone = {name.removeprefix("backbone."): weights[name] for name in weights if name.startswith("backbone.")}
    safetensors.save_file(decoder, folder / "model-00001-of-00002.safetensors")
    safetensors.save_file({**backbone, "mtp.norm.weight": torch.zeros(1)}, folder / "model-00002-of-00002.safetensors")

    def names(key: str) -> str | None:
        if key.startswith("mtp."):
            return None
        return f"decoder.{key.removeprefix('dit.')}" if key.startswith("dit.") else f"backbone.{key}"

    assert from_pretrained(folder, names).described("x") == tiny.described("x")


def test_weights_in_another_precision_are_read_as_the_sizes_say(tiny: Any, folder: Path) -> None:
    def halve(weights: dict[str, Any]) -> None:
        weights.update({name: tensor.bfloat16() for name, tensor in weights.items()})

    changed(folder, halve)

    read = from_pretrained(folder)

    assert {tensor.dtype for tensor in read.weights().values()} == {torch.float32}
    assert read.described("x") != tiny.described("x")


def test_a_seed_makes_a_model_and_leaves_torch_s_own_chance_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()

    first, other = (untrained(SIZES, seed).described("x") for seed in (0, 1))

    assert first != other
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("make", [lambda: from_pretrained("model"), lambda: untrained(SIZES, 0)], ids=["read", "made"])
def test_without_torch_it_is_said_what_to_install(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "interlock_policies.qwen_vla.model")
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(UnusableInput, match=r"interlock-vla\[policies\]"):
        make()
