"""What a contact with each region of a person's body may be at most: as numbers, and the file that they are read from.

The tables of the standards are their publishers' property and are not shipped. Whoever uses a rule of contact supplies
a file of their own, with its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, cast

from pydantic import ConfigDict, Field

from interlock.errors import UnusableInput
from interlock.fields import check_fields
from interlock.jsonform import Json, from_json

from .amounts import checked
from .forms import FORM, Name, Text
from .quantities import Force, Mass, Pressure, Stiffness
from .reader import Reader
from .reading import Reading
from .yaml_text import Document

HEAD: Final = ("face", "forehead", "head", "skull", "temple")  # whatever a file says, nothing may touch these


@dataclass(frozen=True, slots=True)
class Most:
    """The largest force [N] and pressure [Pa] of a contact."""

    force_n: float
    pressure_pa: float

    def __post_init__(self) -> None:
        check_fields(self)
        checked(self.force_n, "positive")
        checked(self.pressure_pa, "positive")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact that is permitted: the region's stiffness [N/m] and the mass [kg] that gives way with it; what it may
    be at most while the body can give way (transient), and where it cannot (quasi_static).
    """

    stiffness_n_m: float
    mass_kg: float
    transient: Most
    quasi_static: Most

    def __post_init__(self) -> None:
        check_fields(self)
        checked(self.stiffness_n_m, "positive")
        checked(self.mass_kg, "positive")


@dataclass(frozen=True, slots=True)
class Region:
    """A region by its name; contact None: nothing may touch it."""

    name: str
    contact: Contact | None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.name in HEAD and self.contact is not None:
            raise ValueError(f'"{self.name}": contact with the head is not permitted at all; say contact: never')


@dataclass(frozen=True, slots=True)
class Regions:
    """A table of regions with its source. A region that is not in it may not be touched."""

    name: str
    source: str
    regions: tuple[Region, ...]

    def __post_init__(self) -> None:
        check_fields(self)
        names = [region.name for region in self.regions]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"name at least one region, and each once, got {names}")

    def contact(self, name: str) -> Contact | None:
        """What is permitted of a region; None: nothing."""
        return next((region.contact for region in self.regions if region.name == name), None)


@dataclass(frozen=True, slots=True)
class MostForm:
    """The largest force and pressure of a contact."""

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    force: Force
    pressure: Pressure


@dataclass(frozen=True, slots=True)
class RegionForm:
    """A region: either `contact: never`, or all that a contact with it depends on."""

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    name: Name
    contact: Literal["never"] | None = None
    """`never`: nothing may touch it, as it always is with the head."""
    stiffness: Stiffness | None = None
    """The region's effective spring constant."""
    mass: Mass | None = None
    """The effective mass of what gives way with it."""
    transient: MostForm | None = None
    """At most this while the body can give way."""
    quasi_static: MostForm | None = None
    """At most this where it cannot: clamped between the robot and something that stands."""


@dataclass(frozen=True, slots=True)
class RegionsForm:
    """A file of body regions; `source` says whose numbers these are."""

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    format: Literal["interlock/regions/1"]
    name: Name
    source: Text
    regions: Annotated[tuple[RegionForm, ...], Field(min_length=1)]


def read_regions(document: Document) -> Regions:
    """The table that a file describes; raises BadFile with every problem that was found."""
    reading = Reading(document)
    form = reading.end(reading.read(RegionsForm, document.root.tree))
    regions = reading.each(("regions",), form.regions, _region)
    if reading.problems:
        return reading.end(None)
    return reading.end(reading.build(("regions",), lambda: Regions(form.name, form.source, regions)))


def _region(form: RegionForm) -> Region:
    numbers = {name: getattr(form, name) for name in ("stiffness", "mass", "transient", "quasi_static")}
    if form.contact == "never":
        given = [name for name, value in numbers.items() if value is not None]
        if given:
            raise ValueError(f"contact: never leaves nothing to say of {', '.join(given)}")
        return Region(form.name, None)
    if form.stiffness is None or form.mass is None or form.transient is None or form.quasi_static is None:
        missing = [name for name, value in numbers.items() if value is None]
        raise ValueError(f"{', '.join(missing)} missing; or say contact: never")
    most = (Most(one.force, one.pressure) for one in (form.transient, form.quasi_static))
    return Region(form.name, Contact(form.stiffness, form.mass, *most))


def _named(value: object) -> Regions:
    """The table that the loader has put in the place of its name."""
    if isinstance(value, Regions):
        return value
    raise ValueError(f"{value!r} is no regions file: expected the name of a file in the folder regions, as in my-table")


def _from_json(value: object) -> Regions:
    try:
        return from_json(Regions, cast(Json, value))
    except UnusableInput as error:
        raise ValueError(str(error)) from error


TABLE: Final = Reader(
    _named,
    _from_json,
    {
        "type": "string",
        "description": "a file of body regions, by its name in the folder regions",
        "examples": ["mine"],
    },
)
