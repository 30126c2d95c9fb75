"""What is kept is used again only where it is whole, made from the same, and contains the mesh."""

from __future__ import annotations

import importlib.metadata
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from interlock.geometry import ConvexMesh
from interlock.jsonform import canonical, digest_of, to_json
from interlock_rules import split_cache
from interlock_rules.split_cache import Entry, Kept, split_of
from interlock_rules.splitting import split
from interlock_rules.surfaces import Surface
from tests.rules.solids import ANGLE, drawn

TOLERANCE = 5e-3
WHOLE = drawn(ANGLE)
PARTS = split(WHOLE, TOLERANCE)


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The tolerances that a mesh is split for from here on."""
    asked: list[float] = []

    def counted(_: Surface, tolerance: float) -> tuple[ConvexMesh, ...]:
        asked.append(tolerance)
        return PARTS

    monkeypatch.setattr(split_cache, "split", counted)
    return asked


def same(first: tuple[ConvexMesh, ...], second: tuple[ConvexMesh, ...]) -> bool:
    return [one.vertices.tobytes() for one in first] == [other.vertices.tobytes() for other in second]


def only(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_was_split_once_is_read_back(cache: Path, splits: list[float]) -> None:
    first, second = (split_of(WHOLE, "m", TOLERANCE) for _ in range(2))

    assert same(first, PARTS)
    assert same(second, PARTS)
    assert splits == [TOLERANCE]
    assert only(cache).suffix == ".json"


def test_what_was_made_from_something_else_is_not_used(
    cache: Path, splits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    split_of(WHOLE, "m", TOLERANCE)

    split_of(WHOLE, "another file", TOLERANCE)
    split_of(WHOLE, "m", 2.0 * TOLERANCE)
    monkeypatch.setattr(split_cache, "splitter_version", lambda: "0")
    split_of(WHOLE, "m", TOLERANCE)
    monkeypatch.setattr(split_cache, "PROCEDURE", "0")
    split_of(WHOLE, "m", TOLERANCE)

    assert len(splits) == len(list(cache.iterdir())) == 5


def test_another_version_of_thesplitter_version_is_another_split(monkeypatch: pytest.MonkeyPatch) -> None:
    assert split_cache.splitter_version()

    def missing(_: str) -> str:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert split_cache.splitter_version() == ""


def forged(kept: Kept, sha256: str | None = None) -> bytes:
    return canonical(to_json(Entry(kept, digest_of(kept) if sha256 is None else sha256)))


def made_from(raw: bytes) -> str:
    found: str = raw.decode().partition('"made_from":"')[2][:64]
    return found


def one_changed(raw: bytes) -> bytes:
    """The same with another character in the first array."""
    place = raw.index(b'"f64":"') + 12
    return raw[:place] + (b"b" if raw[place : place + 1] == b"a" else b"a") + raw[place + 1 :]


FLAT = ConvexMesh(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.3, 0.3, 3e-9]]))


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda raw: raw[:-100],
    "empty": lambda _: b"",
    "no text": lambda raw: b"\xff" + raw,
    "another form": lambda _: b"[]",
    "changed": one_changed,
    "another digest": lambda raw: forged(Kept(made_from(raw), PARTS), "0" * 64),
    "of another mesh": lambda _: forged(Kept("0" * 64, PARTS)),
    "a part is missing": lambda raw: forged(Kept(made_from(raw), PARTS[:1])),
    "no parts": lambda raw: forged(Kept(made_from(raw), ())),
    "a flat part": lambda raw: forged(Kept(made_from(raw), (FLAT,))),
}


@pytest.mark.parametrize("how", SPOILT)
def test_F26_what_is_spoilt_is_split_anew(cache: Path, splits: list[float], how: str) -> None:
    split_of(WHOLE, "m", TOLERANCE)
    path = only(cache)
    raw = path.read_bytes()
    path.write_bytes(SPOILT[how](raw))

    assert same(split_of(WHOLE, "m", TOLERANCE), PARTS)
    assert splits == [TOLERANCE, TOLERANCE]
    assert only(cache).read_bytes() == raw


def test_a_cache_that_cannot_be_written_stops_nothing(
    tmp_path: Path, splits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert same(split_of(WHOLE, "m", TOLERANCE), PARTS)
    assert splits == [TOLERANCE]


@pytest.mark.usefixtures("splits")
def test_a_write_that_fails_leaves_nothing_behind(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(Path, "replace", full)

    assert same(split_of(WHOLE, "m", TOLERANCE), PARTS)
    assert list(cache.iterdir()) == []


def again(_: int) -> int:
    return len(split_of(WHOLE, "m", TOLERANCE))


@pytest.mark.slow
def test_several_processes_write_the_same_at_once(cache: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(again, range(4))

    assert found == [len(PARTS)] * 4
    assert only(cache).stat().st_uid == os.getuid()
