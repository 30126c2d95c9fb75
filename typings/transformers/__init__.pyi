"""What Interlock uses of transformers: the backbone of Qwen-VLA, and how it takes images."""

from typing import Any

from torch import nn

class Qwen3_5Config:
    def __init__(self, **sizes: Any) -> None: ...

class Qwen3_5ForConditionalGeneration(nn.Module):
    model: Any
    def __init__(self, config: Qwen3_5Config) -> None: ...
    def tie_weights(self) -> None: ...

class Qwen2VLImageProcessorPil:
    def __init__(self, **settings: Any) -> None: ...
    def __call__(self, *, images: list[Any], input_data_format: str, return_tensors: str) -> dict[str, Any]: ...
