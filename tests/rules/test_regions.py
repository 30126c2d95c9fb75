"""The table of body regions: read whole or not at all, and never with a contact that is not permitted."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from interlock.jsonform import to_json
from interlock_rules.contact import ContactEnergy
from interlock_rules.files import SHIPPED, shipped
from interlock_rules.loading import load, load_regions
from interlock_rules.meaning import from_meaning
from interlock_rules.problems import BadFile
from interlock_rules.regions import HEAD, Contact, Most, Region, Regions
from tests.rules.golden import GOLDEN

MOST = Most(100.0, 1e6)
CONTACT = Contact(3e4, 40.0, MOST, MOST)


def test_the_shipped_table_says_loudly_that_it_is_made_up() -> None:
    assert shipped("regions") == ("made-up",)
    table = load_regions("made-up")

    assert table.source.startswith("MADE UP, for tests alone")
    assert table.contact("head") is None
    assert table.contact("hand") == Contact(8e4, 0.5, Most(200.0, 1e6), Most(100.0, 5e5))


def test_F38_a_region_that_is_not_in_the_table_may_not_be_touched() -> None:
    assert Regions("t", "s", (Region("trunk", CONTACT),)).contact("tail") is None


@pytest.mark.parametrize("name", HEAD)
def test_nothing_may_touch_the_head_whatever_a_table_says(name: str) -> None:
    with pytest.raises(ValueError, match="not permitted at all"):
        Region(name, CONTACT)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_F01_no_number_of_a_contact_is_nothing_or_no_number(bad: float) -> None:
    for build in (
        lambda: Most(bad, 1.0), lambda: Most(1.0, bad),
        lambda: Contact(bad, 1.0, MOST, MOST), lambda: Contact(1.0, bad, MOST, MOST),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="expected a"):
            build()


@pytest.mark.parametrize("regions", [(), (Region("arm", None), Region("arm", CONTACT))])
def test_a_table_names_every_region_once_and_at_least_one(regions: tuple[Region, ...]) -> None:
    with pytest.raises(ValueError, match="at least one region, and each once"):
        Regions("t", "s", regions)


def test_a_table_is_part_of_what_a_rule_set_means() -> None:
    rules = load(GOLDEN / "valid" / "set-contact.yaml")
    limit = rules.rules[0].limit
    assert isinstance(limit, ContactEnergy)

    again = from_meaning(rules.meaning)

    assert again.rules[0].limit == limit
    assert again.digest == rules.digest
    assert limit.regions == load_regions("made-up")


def test_what_a_record_holds_in_its_place_is_refused() -> None:
    rules = load(GOLDEN / "valid" / "set-contact.yaml")
    tree: Any = to_json(rules.rules[0].limit)
    tree.pop("kind")
    tree["regions"]["regions"][0]["contact"] = "often"

    with pytest.raises(ValidationError, match="contact"):
        TypeAdapter[Any](ContactEnergy).validate_json(json.dumps(tree))


def beside(folder: Path, table: str) -> Path:
    """The golden set in a folder of its own, with a table `mine` beside it."""
    (folder / "regions").mkdir()
    (folder / "regions" / "mine.yaml").write_text(table, encoding="utf-8")
    path = folder / "set.yaml"
    text = (GOLDEN / "valid" / "set-contact.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("regions: made-up", "regions: mine"), encoding="utf-8")
    return path


MADE_UP = (SHIPPED / "regions" / "made-up.yaml").read_text(encoding="utf-8")


def test_a_table_of_one_s_own_is_found_beside_the_set(tmp_path: Path) -> None:
    rules = load(beside(tmp_path, MADE_UP.replace("name: made-up", "name: mine")))

    limit = rules.rules[0].limit
    assert isinstance(limit, ContactEnergy)
    assert limit.regions.name == "mine"


def test_a_table_that_is_wrong_says_where_in_its_own_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as refused:
        load(beside(tmp_path, MADE_UP.replace("mass: 3 kg", "mass: 3 m")))

    assert [Path(one.place.source).name for one in refused.value.problems] == ["mine.yaml"]
