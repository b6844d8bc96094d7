"""What a setting is read as."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlestar.settings import Settings


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", "sqlite:////data/mlestar.db"),
        ("sqlite:////elsewhere.db", "sqlite:////elsewhere.db"),
        (
            "postgresql://me:pw@host:5433/base?sslmode=require",
            "postgresql+psycopg://me:pw@host:5433/base?sslmode=require",
        ),
        ("postgres://me@host/base", "postgresql+psycopg://me@host/base"),
        ("postgresql+psycopg:///base?host=/run", "postgresql+psycopg:///base?host=/run"),
    ],
)
def test_a_database_is_opened_with_the_driver_that_is_installed(given: str, used: str) -> None:
    assert Settings(data_dir=Path("/data"), database_url=given).resolved_database_url == used


@pytest.mark.parametrize("given", ["mysql://me@host/base", "postgresql+psycopg2://me@host/base", "base.db"])
def test_another_kind_of_database_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///path or postgresql://"):
        Settings(database_url=given)
