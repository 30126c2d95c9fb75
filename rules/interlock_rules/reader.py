"""How pydantic reads one field of a rule: an author's text, or a JSON value in SI units; and what editors are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

# What every kind is read with: unknown keys are errors, and the text below a field is its description.
STRICT: Final = ConfigDict(extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class Reader:
    """Stands in `Annotated[type, Reader(...)]`. Both functions raise ValueError: what was found, and expected."""

    from_text: Callable[[object], object]
    from_json: Callable[[object], object]
    json_schema: dict[str, Any] = field(hash=False)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """`validate_python` is given what an author wrote, `validate_json` what a record holds."""
        del source, handler
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_plain_validator_function(self.from_json),
            python_schema=core_schema.no_info_plain_validator_function(self.from_text),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of the text form."""
        del schema, handler
        return dict(self.json_schema)
