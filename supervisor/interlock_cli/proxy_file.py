"""The file that says how a proxy reads observations and actions: which entry holds what, in which order and unit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict
from pydantic.functional_validators import BeforeValidator

from interlock.chunk import Layout
from interlock.errors import UnusableInput
from interlock.rules import RuleSet
from interlock_policies.groot import Group
from interlock_policies.proxy.observing import HandAt, JointsAt, Observing
from interlock_rules.files import read_file
from interlock_rules.forms import FORM, Count, Name, Plain, Text
from interlock_rules.reading import Reading


def _names(found: object) -> object:
    return (found,) if isinstance(found, str) else found


Key = Annotated[tuple[Text, ...], BeforeValidator(_names)]


@dataclass(frozen=True, slots=True)
class PositionsForm:
    """Where the joints' positions are: an entry, or the names that lead to one; the joints in the entry's order; their
    unit; and the index of the first.
    """

    key: Key
    names: tuple[Name, ...]
    unit: Literal["rad", "deg"]
    first: Count = 0


@dataclass(frozen=True, slots=True)
class VelocitiesForm:
    """Where the joints' measured speeds are, in the same way."""

    key: Key
    names: tuple[Name, ...]
    unit: Literal["rad/s", "deg/s"]
    first: Count = 0


@dataclass(frozen=True, slots=True)
class HandForm:
    """Where a gripper's value is, and which numbers mean closed and open."""

    name: Name
    key: Key
    closed: Plain
    open: Plain
    index: Count = 0


@dataclass(frozen=True, slots=True)
class GroupForm:
    """One array of an action of GR00T's: its key, and the channels of the layout that its columns are."""

    key: Text
    channels: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class MapForm:
    """The file. `layout` says what the columns of `actions` mean: one of those that the rule set accepts.

    For GR00T alone: the `groups` of an action, whether its arrays have an axis for a `batch` of one, and which entries
    to `join`, in this order, to the entry `joined`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    format: Literal["interlock/proxy-map/1"]
    layout: Name
    joints: PositionsForm
    grippers: tuple[HandForm, ...] = ()
    velocities: VelocitiesForm | None = None
    prompt: Key | None = None
    images: tuple[Key, ...] = ()
    groups: tuple[GroupForm, ...] = ()
    batch: Literal["one", "none"] = "one"
    join: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class ProxyMap:
    """What a mapping file comes to, for one rule set."""

    layout: Layout
    observing: Observing
    groups: tuple[Group, ...] = ()
    batched: bool = True
    join: tuple[tuple[str, ...], ...] = ()


def read_map(path: Path, rules: RuleSet) -> ProxyMap:
    """The mapping in a file; raises UnusableInput with the place of everything that is wrong."""
    document = read_file(path)
    reading = Reading(document)
    form = reading.end(reading.read(MapForm, document.root.tree))
    layouts = {layout.name: layout for layout in rules.accepts.layouts}
    if form.layout not in layouts:
        reading.note(("layout",), f"no layout that {rules.name} accepts; it accepts {', '.join(layouts)}")
    hands = reading.each(("grippers",), form.grippers, _hand)
    groups = reading.each(("groups",), form.groups, _group)
    observing = reading.build((), lambda: _observing(form, hands, rules))
    if observing is None or reading.problems:
        return reading.end(None)
    return ProxyMap(layouts[form.layout], observing, groups, form.batch == "one", form.join)


def of_one_array(found: ProxyMap) -> ProxyMap:
    """The mapping, for a policy that says all columns in one array; raises UnusableInput for one that has groups."""
    if found.groups or found.join or not found.batched:
        raise UnusableInput("groups, batch and join are for GR00T alone; this policy says all columns in one array")
    return found


def _group(form: GroupForm) -> Group:
    return Group(form.key, form.channels)


def _hand(form: HandForm) -> HandAt:
    return HandAt(form.key, form.name, form.closed, form.open, form.index)


def _observing(form: MapForm, hands: tuple[HandAt, ...], rules: RuleSet) -> Observing:
    speeds = form.velocities
    try:
        return Observing(
            profile=rules.profile,
            joints=JointsAt(form.joints.key, form.joints.names, form.joints.unit, form.joints.first),
            hands=hands,
            velocities=None if speeds is None else JointsAt(speeds.key, speeds.names, speeds.unit, speeds.first),
            prompt=form.prompt,
            images=form.images,
        )
    except UnusableInput as error:
        raise ValueError(str(error)) from error
