"""Artifacts that two data folders share through a store."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from mlestar.errors import InvalidInput, MissingDependency, MlestarError, NotFound, Unavailable
from mlestar.settings import Settings
from mlestar.storage.artifact_store import ArtifactStore, check_installed
from mlestar.storage.artifacts import Artifacts
from support.object_store import ADDRESS, object_store

FINGERPRINT = "f" * 64


@pytest.fixture
def shared(tmp_path: Path) -> str:
    return f"file://{tmp_path / 'shared'}"


def kept(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_one_folder_keeps_another_fetches_once_and_then_has(tmp_path: Path, shared: str) -> None:
    sha256 = Artifacts(tmp_path / "one", shared).put(b"model")
    two = Artifacts(tmp_path / "two", shared)
    assert two.location(sha256) == f"{shared}/artifacts/{sha256[:2]}/{sha256}"
    assert two.get(sha256) == b"model"
    (tmp_path / "shared").rename(tmp_path / "gone")
    assert two.get(sha256) == b"model"
    with pytest.raises(NotFound, match="no artifact"):
        Artifacts(tmp_path / "three", shared).get(sha256)


def test_a_stage_of_one_folder_is_recalled_in_another_with_all_its_files(tmp_path: Path, shared: str) -> None:
    one, two = (Artifacts(tmp_path / name, shared) for name in ("one", "two"))
    record = {"artifacts": {"model": one.put(b"model")}, "summary": {"n": 1}}
    assert two.recall(FINGERPRINT) is None
    one.remember(FINGERPRINT, record)
    assert two.recall(FINGERPRINT) == record
    assert kept(tmp_path / "two") == kept(tmp_path / "one") == kept(tmp_path / "shared")


def test_what_was_finished_before_there_was_a_store_is_published_when_it_is_used(tmp_path: Path, shared: str) -> None:
    before = Artifacts(tmp_path / "one")
    record = {"artifacts": {"model": before.put(b"model")}, "summary": {}}
    before.remember(FINGERPRINT, record)
    assert Artifacts(tmp_path / "one", shared).recall(FINGERPRINT) == record
    assert Artifacts(tmp_path / "two", shared).recall(FINGERPRINT) == record


def test_a_damaged_copy_is_never_returned_and_a_whole_one_takes_its_place(tmp_path: Path, shared: str) -> None:
    one, two = (Artifacts(tmp_path / name, shared) for name in ("one", "two"))
    sha256 = one.put(b"whole")
    one.path(sha256).write_bytes(b"torn")
    assert one.get(sha256) == b"whole"
    assert one.path(sha256).read_bytes() == b"whole"
    Path(one.location(sha256).removeprefix("file://")).write_bytes(b"torn")
    with pytest.raises(NotFound, match="damaged in the artifact store"):
        two.get(sha256)
    assert not two.path(sha256).exists()


def test_a_record_is_published_after_every_file_it_names(tmp_path: Path, shared: str) -> None:
    one = Artifacts(tmp_path / "one", shared)
    sha256 = one.put(b"model")
    (tmp_path / "shared" / "stages").write_bytes(b"in the way of the folder")
    with pytest.raises(Unavailable, match="could not publish stages/"):
        one.remember(FINGERPRINT, {"artifacts": {"model": sha256}})
    (tmp_path / "shared" / "stages").unlink()
    assert one.recall(FINGERPRINT) is None, "a stage that others cannot see is not finished"


def loops(tmp_path: Path) -> Path:
    """A folder that cannot be reached until it is taken away: a link to itself."""
    folder = tmp_path / "shared"
    folder.symlink_to(folder)
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="lacks links that need no privilege")
def test_a_store_that_is_away_for_a_while_is_waited_for(tmp_path: Path, shared: str) -> None:
    back = threading.Timer(0.2, loops(tmp_path).unlink)
    back.start()
    sha256 = Artifacts(tmp_path / "one", shared, patience_s=30.0).put(b"model")
    back.join()
    assert Artifacts(tmp_path / "two", shared).get(sha256) == b"model"


@pytest.mark.skipif(sys.platform == "win32", reason="lacks links that need no privilege")
def test_a_store_that_stays_away_is_named_with_what_to_do(tmp_path: Path, shared: str) -> None:
    loops(tmp_path)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"the artifact store \(file\): OSError") as caught:
        Artifacts(tmp_path / "one", shared, patience_s=1.0).put(b"model")
    assert time.monotonic() - begun >= 0.5
    assert "MLESTAR_ARTIFACTS" in caught.value.do


PUBLISHES = """
import sys
from mlestar.storage.artifact_store import ArtifactStore
ArtifactStore(sys.argv[1]).publish("artifacts/big", b"x" * (1 << 28))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="lacks SIGKILL")
def test_a_kill_in_the_midst_of_publishing_leaves_nothing_that_can_be_taken_for_whole(
    tmp_path: Path, shared: str
) -> None:
    process = subprocess.Popen([sys.executable, "-c", PUBLISHES, shared])
    folder = tmp_path / "shared" / "artifacts"
    try:
        until = time.monotonic() + 60
        while not any(path.stat().st_size for path in folder.glob(".part-*")):
            assert process.poll() is None
            assert time.monotonic() < until
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert [path.name[:6] for path in folder.iterdir()] == [".part-"]
    assert not ArtifactStore(shared).has("artifacts/big")
    ArtifactStore(shared).publish("artifacts/big", b"small")
    assert ArtifactStore(shared).fetch("artifacts/big") == b"small"


def without_a_driver() -> str:
    from importlib.util import find_spec

    from fsspec.registry import known_implementations

    drivers: dict[str, str] = {name: entry["class"].partition(".")[0] for name, entry in known_implementations.items()}
    return next(name for name in ("oss", "dropbox", "oci", "lakefs") if find_spec(drivers[name]) is None)


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        (f"{without_a_driver()}://bucket", MissingDependency, "pip install"),
        ("nowhere://bucket", InvalidInput, "s3"),
    ],
)
def test_an_address_that_cannot_be_opened_says_what_is_missing(
    address: str, error: type[MlestarError], says: str
) -> None:
    with pytest.raises(error) as caught:
        check_installed(address)
    assert says in str(caught.value)


def test_without_fsspec_the_setting_names_the_extra_and_without_the_setting_it_is_not_imported(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from mlestar.errors import MissingDependency
from mlestar.storage.artifacts import Artifacts
Artifacts(Path(sys.argv[1])).put(b"a")
assert "fsspec" not in sys.modules
sys.modules["fsspec"] = None
try:
    Artifacts(Path(sys.argv[1]), "s3://bucket").put(b"b")
except MissingDependency as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    assert 'pip install "mlestar[artifacts]"' in done.stdout


@pytest.mark.parametrize("address", ["/shared", "memory://x", "s3://", "simplecache::s3://bucket"])
def test_an_address_that_others_could_not_reach_is_refused_as_a_setting(address: str) -> None:
    with pytest.raises(ValueError, match=r"s3://bucket/folder, gs://"):
        Settings(artifacts=address)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    with object_store() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield ADDRESS


@pytest.mark.filterwarnings("default")  # of the server and its client, which are not ours
def test_an_object_store_hands_on_what_one_folder_keeps(tmp_path: Path, bucket: str) -> None:
    one, two = (Artifacts(tmp_path / name, bucket) for name in ("one", "two"))
    data = os.urandom(30_000_000)
    record = {"artifacts": {"model": one.put(data), "empty": one.put(b"")}}
    one.remember(FINGERPRINT, record)
    sha256 = hashlib.sha256(data).hexdigest()
    assert two.location(sha256) == f"{bucket}/artifacts/{sha256[:2]}/{sha256}"
    assert two.recall(FINGERPRINT) == record
    assert two.get(sha256) == data
    with pytest.raises(NotFound, match="no artifact"):
        two.get("0" * 64)
    with pytest.raises(Unavailable, match="could not publish"):
        Artifacts(tmp_path / "one", "s3://other/mlestar").put(b"a bucket that is not there")
