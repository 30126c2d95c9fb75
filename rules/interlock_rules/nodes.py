"""Nodes of a YAML file, each a text, a list or an object that knows where it stands; nothing in them has a type yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

MAX_DEPTH: Final = 32
MAX_NODES: Final = 100_000

# What nobody sees in a text: controls (C0, C1), line breaks of YAML 1.1 only, invisible characters, and those that
# change the order in which a text is shown (CVE-2021-42574).
ODD_CHARACTER: Final = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f]"
    "|[\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
Spot: TypeAlias = tuple[int, int]  # line and column, both from 1


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the spot where it begins."""

    spot: Spot
    value: str | list[Node] | dict[str, Entry]

    @property
    def tree(self) -> Tree:
        """The value alone, down to its texts."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, list):
            return [item.tree for item in self.value]
        return {key: entry.node.tree for key, entry in self.value.items()}

    def below(self, step: str | int) -> Entry | None:
        """What stands under a key or at an index, or None."""
        if isinstance(self.value, dict) and isinstance(step, str):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            return Entry(self.value[step].spot, self.value[step])
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    """The spot of a key, and the node under it."""

    spot: Spot
    node: Node


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text, and at which spot."""

    spot: Spot
    message: str


class NotAccepted(Exception):
    """A text that holds no single acceptable document; `faults` say why."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__(faults[0].message)


def odd_character(text: str) -> re.Match[str] | None:
    """The first character of a text that shows as nothing, or as something else; None where there is none."""
    return ODD_CHARACTER.search(text)


def compose(text: str) -> Node:
    """The one document of a text; raises NotAccepted with every repeated key, or with the first other fault."""
    builder = _Builder(yaml.parse(text, yaml.SafeLoader))
    try:
        root = builder.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise NotAccepted(Fault(spot, f"not YAML: {error.problem or error.context}")) from error
    if builder.faults:
        raise NotAccepted(*builder.faults)
    return root


@dataclass
class _Builder:
    """Turns the events of PyYAML's parser into nodes, and refuses what lets a file mean other than it shows."""

    events: Iterator[yaml.Event]
    nodes: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])

    def document(self) -> Node:
        next(self.events)  # the stream begins
        start = next(self.events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise NotAccepted(Fault((1, 1), "the file is empty"))
        if start.version or start.tags:
            raise NotAccepted(Fault(_spot(start), "directives (%) are not accepted; remove this line"))
        root = self.node(next(self.events), 1)
        next(self.events)  # the document ends
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise NotAccepted(Fault(_spot(after), "a second document begins here; a file holds one"))
        return root

    def node(self, event: yaml.Event, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise NotAccepted(Fault(_spot(event), f"more than {MAX_NODES} values in one file"))
        if depth > MAX_DEPTH:
            raise NotAccepted(Fault(_spot(event), f"nested deeper than {MAX_DEPTH} levels"))
        refusal = _refusal(event)
        if refusal:
            raise NotAccepted(Fault(_spot(event), refusal))
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(_spot(event), self.items(depth))
        if isinstance(event, yaml.MappingStartEvent):
            return Node(_spot(event), self.entries(depth))
        return Node(_spot(event), event.value if isinstance(event, yaml.ScalarEvent) else "")

    def items(self, depth: int) -> list[Node]:
        found: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.node(event, depth + 1))
        return found

    def entries(self, depth: int) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, value = self.node(event, depth + 1), self.node(next(self.events), depth + 1)
            if not isinstance(key.value, str):
                self.faults.append(Fault(key.spot, "a key must be one word"))
            elif key.value == "<<":
                self.faults.append(Fault(key.spot, "merge keys (<<) are not accepted; write the values out"))
            elif key.value in found:
                first = found[key.value].spot[0]
                self.faults.append(Fault(key.spot, f'"{key.value}" is here a second time; first in line {first}'))
            else:
                found[key.value] = Entry(key.spot, value)
        return found


def _spot(event: yaml.Event) -> Spot:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _refusal(event: yaml.Event) -> str:
    """Why a node may not begin like this, or nothing."""
    if isinstance(event, yaml.AliasEvent):
        return f"aliases (*{event.anchor}) are not accepted; write the value out"
    if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
        return f"anchors (&{event.anchor}) are not accepted; write the value out where it is used"
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        return f"tags ({event.tag}) are not accepted; the field decides what a value is"
    odd = odd_character(event.value) if isinstance(event, yaml.ScalarEvent) else None
    if odd:  # only by an escape, as in "\\u202e": the file itself holds none
        return f"the character U+{ord(odd.group()):04X}, written as an escape, is not accepted; remove it"
    return ""
