"""JSON Schemas of rule sets, robots, cells and body regions for editors, from the dataclasses that load the files."""

from __future__ import annotations

from typing import Any, Final

from .cell_file import CellForm
from .kinds import KINDS
from .profile_form import ProfileForm
from .reading import adapter
from .regions import RegionsForm
from .set_form import RuleForm, SetForm

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NAMES: Final = ("ruleset", "profile", "cell", "regions")


def schema(name: str) -> dict[str, Any]:
    """The schema of a kind of file of `NAMES`, in its format 1; raises KeyError for another name."""
    forms: dict[str, Any] = {"ruleset": SetForm, "profile": ProfileForm, "cell": CellForm, "regions": RegionsForm}
    found: dict[str, Any] = {"$schema": DIALECT, **adapter(forms[name]).json_schema(), "title": f"interlock/{name}/1"}
    if name == "ruleset":
        _add_rules(found["$defs"])
        found["properties"]["rules"]["items"] = {"$ref": "#/$defs/Rule"}
    return found


def _add_rules(definitions: dict[str, Any]) -> None:
    """Adds `Rule`: what every rule has, and one choice for each kind with all that it has itself."""
    common = adapter(RuleForm).json_schema()
    definitions |= common.pop("$defs", {})
    choices: list[dict[str, Any]] = []
    for kind, form in KINDS.items():
        own = adapter(form).json_schema()
        definitions |= own.pop("$defs", {})
        choices.append(_merged(kind, common, own))
    definitions["Rule"] = {"oneOf": choices}


def _merged(kind: str, common: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": kind,
        "description": own.get("description", ""),
        "type": "object",
        "properties": {"kind": {"const": kind}, **common["properties"], **own["properties"]},
        "required": ["kind", *common["required"], *own.get("required", [])],
        "additionalProperties": False,
    }
