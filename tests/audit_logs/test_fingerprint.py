from __future__ import annotations

import pytest

from interlock.jsonform import canonical
from interlock_audit_logs import fingerprint


def test_one_process_has_one_fingerprint() -> None:
    assert canonical(fingerprint()) == canonical(fingerprint())


def test_it_names_versions_processor_and_threads() -> None:
    found = fingerprint()

    assert {"blas", "cpus", "cpu_features", "libc", "machine", "packages", "python", "system", "variables"} == set(
        found
    )
    assert "absent" not in str(found["packages"]["numpy"])  # type: ignore[call-overload,index]


def test_another_count_of_threads_is_another_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = canonical(fingerprint())

    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "97")

    assert canonical(fingerprint()) != before
