"""GR00T's answers: a dictionary with one array for each group of channels, put into one chunk by a stated mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from interlock.arrays import FloatArray, floats, frozen
from interlock.fields import check_fields

from .answer import Contract, Decoded, Undecodable, raw_digest


@dataclass(frozen=True, slots=True)
class Group:
    """One array of the answer: its key, as in `action.left_arm`, and the channels of the layout that its columns are,
    in their order.
    """

    key: str
    channels: tuple[str, ...]

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.key or not self.channels:
            raise ValueError(f"a group needs a key and channels, got {self.key!r} and {self.channels}")


@dataclass(frozen=True, slots=True)
class Groot:
    """GR00T's decoder. The groups name every channel of the layout once. `batched`: arrays have the shape
    (1, rows, columns of the group); if not, (rows, columns of the group).

    GR00T sends absolute values that are physical already: a layout with deltas, or statistics, contradicts that and
    raises ValueError, as do channels that are missing, unknown or named twice.
    """

    contract: Contract
    groups: tuple[Group, ...]
    batched: bool

    def __post_init__(self) -> None:
        check_fields(self)
        if self.contract.statistics is not None:
            raise ValueError("GR00T sends physical values: its contract has no statistics")
        layout = self.contract.layout
        relative = [channel.name for channel in layout.channels if channel.reference != "absolute"]
        if relative:
            raise ValueError(f"GR00T sends absolute values; layout {layout.name!r} has deltas: {', '.join(relative)}")
        known = [channel.name for channel in layout.channels]
        named = [name for group in self.groups for name in group.channels]
        if sorted(known) != sorted(named) or len(set(known)) != len(known):
            raise ValueError(f"the groups must name each channel of the layout once: {known}; they name {named}")
        keys = [group.key for group in self.groups]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a group is named twice: {keys}")

    def answer(self, said: object) -> Decoded:
        """The rows of an answer by group; failed where a group is missing, surplus or out of shape."""
        return self.contract.decoded(lambda: self._rows(said), raw_digest(said))

    def _rows(self, said: object) -> FloatArray:
        if not isinstance(said, Mapping):
            raise Undecodable(f"expected a dictionary of groups, got {type(said).__name__}")
        arrays = cast(Mapping[object, object], said)
        expected = {group.key for group in self.groups}
        if set(arrays) != expected:
            raise Undecodable(f"groups {sorted(map(repr, arrays))}, expected {sorted(map(repr, expected))}")
        place = {channel.name: column for column, channel in enumerate(self.contract.layout.channels)}
        rows = np.full((self.contract.rows, self.contract.columns), np.nan)
        for group in self.groups:
            rows[:, [place[name] for name in group.channels]] = self._group(group, arrays[group.key])
        return frozen(rows)

    def _group(self, group: Group, value: object) -> FloatArray:
        if not isinstance(value, np.ndarray):
            raise Undecodable(f"group {group.key!r} must be an array, got {type(value).__name__}")
        return self._columns(group, value)  # pyright: ignore[reportUnknownArgumentType] - any array

    def _columns(self, group: Group, value: np.ndarray[Any, Any]) -> FloatArray:
        shape = (self.contract.rows, len(group.channels))
        expected = (1, *shape) if self.batched else shape
        if value.shape != expected:
            raise Undecodable(f"group {group.key!r} has shape {value.shape}, expected {expected}")
        try:
            return floats(group.key, value.reshape(shape), 2)
        except TypeError as error:
            raise Undecodable(str(error)) from error
