from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.errors import UnusableInput
from interlock_audit_logs import MAX_BLOB_BYTES, OsFiles, read_blob
from interlock_audit_logs.blobs import BlobStore, check_blob


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "blobs").mkdir()
    return tmp_path


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_what_is_stored_reads_back(directory: Path, content: bytes) -> None:
    name = hashlib.sha256(content).hexdigest()

    BlobStore(OsFiles(), directory).store({name: content})

    assert read_blob(directory, name) == content


@pytest.mark.parametrize("name", ["", "../lock", "/etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_digest_names_a_blob(directory: Path, name: str) -> None:
    with pytest.raises(UnusableInput, match="64 lower-case hexadecimal digits"):
        read_blob(directory, name)


def test_an_absent_blob_is_unusable(directory: Path) -> None:
    with pytest.raises(UnusableInput, match="No such file"):
        read_blob(directory, "a" * 64)


def test_a_blob_has_a_largest_size() -> None:
    with pytest.raises(UnusableInput, match="holds at most"):
        check_blob("a" * 64, bytes(MAX_BLOB_BYTES + 1))
