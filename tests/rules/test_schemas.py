from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from interlock_rules.files import SHIPPED
from interlock_rules.schemas import NAMES, schema
from tests.rules.golden import GOLDEN

FOLDERS = {"ruleset": "sets", "profile": "robots", "cell": "cells", "regions": "regions"}
GOLDEN_FOLDERS = {"ruleset": "valid", "profile": "robots", "cell": "cells"}
FILES = [
    (name, path)
    for root, folders in ((SHIPPED, FOLDERS), (GOLDEN, GOLDEN_FOLDERS))
    for name, folder in folders.items()
    for path in sorted((root / folder).glob("*.yaml"))
]


@pytest.mark.parametrize("name", NAMES)
def test_the_published_schema_is_the_one_that_the_code_gives(name: str) -> None:
    published = json.loads((SHIPPED / "schema" / f"{name}-1.schema.json").read_text(encoding="utf-8"))

    assert published == schema(name)
    jsonschema.Draft202012Validator.check_schema(published)


def faults(name: str, value: Any) -> list[str]:
    validator: Any = jsonschema.Draft202012Validator(schema(name))
    return [str(error.json_path) for error in validator.iter_errors(value)]


@pytest.mark.parametrize(("name", "path"), FILES, ids=lambda value: value.stem if isinstance(value, Path) else value)
def test_every_file_that_loads_fits_its_schema(name: str, path: Path) -> None:
    assert faults(name, yaml.safe_load(path.read_text(encoding="utf-8"))) == []


def test_what_the_reader_refuses_the_schema_refuses() -> None:
    value = yaml.safe_load((GOLDEN / "valid" / "set-small.yaml").read_text(encoding="utf-8"))
    value["rules"][0]["margn"] = value["rules"][0].pop("margin")
    value["accepts"]["period"] = "20"

    assert faults("ruleset", value) == ["$.accepts.period", "$.rules[0]"]
