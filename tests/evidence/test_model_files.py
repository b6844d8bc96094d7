"""Model files are looked into, never loaded."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from mlestar.core.project.pickles import dangerous, unknown
from mlestar.evidence.bounded import Found, Limits
from mlestar.evidence.model_files import read_model


class Payload:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def scan(path: Path, limits: Limits | None = None) -> tuple[list[str], list[str]]:
    found = Found(path=path.name, real=path, size=path.stat().st_size)
    model = read_model(found, "", limits or Limits())
    return dangerous(model.imports), unknown(model.imports)


@pytest.mark.parametrize("protocol", range(6))
def test_a_payload_is_found_in_every_protocol_and_not_run(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"a": Payload(tmp_path / "sprung")}, protocol=protocol))
    assert scan(path)[0]
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("compress", [0, "zlib", "gzip", "bz2", "lzma"])
def test_a_payload_behind_arrays_is_found_in_joblib_files(compress: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump([np.arange(1000.0), np.ones((50, 50)), Payload(tmp_path / "sprung")], path, compress=compress)
    assert scan(path)[0]
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("before", [b"abcdefq8", b"i", b"ccc"])
@pytest.mark.parametrize(("import_of", "runs_code"), [(b"cposix\nsystem\n", True), (b"cnumpy\nndarray\n", False)])
def test_bytes_before_an_import_do_not_hide_it(
    before: bytes, import_of: bytes, runs_code: bool, tmp_path: Path
) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04\xff" + before + import_of + b"R.")
    assert (bool(scan(path)[0]), scan(path)[1]) == (runs_code, [])


TYPED = b"\x80\x04\x8c\ndill._dill\x8c\n_load_type\x93\x8c%c%s\x85R."
"""What dill writes for a type: its look-up, called with the type's name."""


@pytest.mark.parametrize(
    ("name", "runs_code"), [(b"slice", False), (b"dtype", False), (b"FunctionType", True), (b"CodeType", True)]
)
def test_types_that_dill_looks_up_are_told_apart_from_those_that_build_code(
    name: bytes, runs_code: bool, tmp_path: Path
) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(TYPED % (len(name), name))
    assert bool(scan(path)[0]) == runs_code


def test_an_honest_model_has_no_dangerous_import(tmp_path: Path) -> None:
    path = tmp_path / "scaler.joblib"
    joblib.dump(StandardScaler().fit(np.arange(2000.0).reshape(-1, 2)), path)
    assert scan(path) == ([], [])


def test_a_pickle_inside_a_torch_archive_is_scanned(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"cposix\nsystem\n(S'id'\ntR.")
    assert scan(path)[0] == ["posix.system"]


def test_a_zip_bomb_is_unpacked_up_to_the_limit_only(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("archive/data.pkl", "w") as member:
        for _ in range(64):
            member.write(b"\x00" * (1 << 20))
    assert scan(path, Limits(model_scan=1 << 20)) == ([], [])


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04broken", b"\x80", b"\x1f\x8bbroken", b"\x80\x05\x95" + b"\xff" * 50]
)
def test_broken_files_are_no_crash(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(content)
    assert scan(path) == ([], [])


def test_names_that_hide_behind_the_memo_are_resolved(tmp_path: Path) -> None:
    stream = io.BytesIO()
    pickle.Pickler(stream, protocol=4).dump(["posix", "system", "posix"])
    raw = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x30\x30\x68\x00\x68\x01\x93."
    path = tmp_path / "model.pkl"
    path.write_bytes(raw)
    assert scan(path)[0] == ["posix.system"]
