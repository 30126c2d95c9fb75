"""What Interlock uses of tokenizers: text to ids, from a file that it is handed."""

from typing import Any, Self

from . import decoders as decoders
from . import models as models
from . import pre_tokenizers as pre_tokenizers

class Encoding:
    ids: list[int]

class Tokenizer:
    encode_special_tokens: bool
    pre_tokenizer: Any
    decoder: Any
    def __init__(self, model: models.BPE) -> None: ...
    @classmethod
    def from_buffer(cls, buffer: bytes) -> Self: ...
    def to_str(self) -> str: ...
    def encode(self, sequence: str, *, add_special_tokens: bool) -> Encoding: ...
