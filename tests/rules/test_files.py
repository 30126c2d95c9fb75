from __future__ import annotations

from pathlib import Path

import pytest

from interlock.errors import UnusableInput
from interlock_rules.files import SHIPPED, beside, find, read_file, shipped


def test_a_word_is_a_shipped_name_and_anything_else_a_path() -> None:
    assert find("sets", "panda-tabletop") == SHIPPED / "sets" / "panda-tabletop.yaml"
    assert find("sets", "mine/set.yaml") == Path("mine/set.yaml")
    assert find("sets", Path("panda-tabletop")) == Path("panda-tabletop")


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(UnusableInput, match='did you mean "panda-tabletop"'):
        find("sets", "panda-tabeltop")


def test_F47_a_name_in_a_set_never_leaves_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("a: 1")

    with pytest.raises(UnusableInput, match="there is no file"):
        beside("robots", "../secret", tmp_path / "set.yaml")


def test_what_is_not_beside_the_set_is_shipped(tmp_path: Path) -> None:
    assert beside("cells", "tabletop", tmp_path / "set.yaml") == SHIPPED / "cells" / "tabletop.yaml"


def test_each_folder_ships_something() -> None:
    assert "panda-tabletop" in shipped("sets")
    assert "franka_panda" in shipped("robots")
    assert "tabletop" in shipped("cells")


def test_a_shipped_file_is_named_from_its_package_on() -> None:
    assert read_file(SHIPPED / "cells" / "tabletop.yaml").source == "cells/tabletop.yaml"
