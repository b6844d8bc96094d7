"""What the verification of a package says of the version before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlestar.errors import Unavailable
from mlestar.execution.verify import _Verification  # pyright: ignore[reportPrivateUsage] - a whole run is not needed
from mlestar.storage.artifacts import Artifacts

if TYPE_CHECKING:
    from pathlib import Path

GONE = {"version": 1, "sha256": "0" * 64}


def verification(artifacts: Artifacts) -> _Verification:
    made = object.__new__(_Verification)  # only what the question needs
    made.payload, made.artifacts = {"previous": GONE}, artifacts
    return made


def test_a_previous_version_that_is_lost_is_a_finding(tmp_path: Path) -> None:
    check = verification(Artifacts(tmp_path)).previous_version()
    assert (check.outcome, check.says) == ("warn", "version 1 does not load: NotFound")


def test_a_store_that_is_away_says_nothing_about_the_previous_version(tmp_path: Path) -> None:
    (tmp_path / "shared").write_bytes(b"no folder")
    with pytest.raises(Unavailable, match="the artifact store"):
        verification(Artifacts(tmp_path, f"file://{tmp_path / 'shared'}")).previous_version()
