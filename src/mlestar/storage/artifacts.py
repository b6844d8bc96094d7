"""Files by content hash, and what a finished stage left behind, by fingerprint.

A file appears whole or not at all: written under a temporary name, synced, renamed. Writing the same content twice
is one file, so a stage that is done again changes nothing.

With a store (`artifact_store`) the data folder is its cache: what is kept is published, a stage's record after the
files that it names, and what is missing here is fetched and held to its hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlestar.errors import NotFound, WorkFailed
from mlestar.storage.artifact_store import ArtifactStore

FILES, STAGES = "artifacts", "stages"
PATIENCE_S = 60.0
"""So long a run waits for a store that is away; then it fails and says so."""


class Artifacts:
    """The artifacts of one data folder, and of the store behind it if there is one."""

    def __init__(self, folder: Path, store: str = "", *, patience_s: float = 0.0) -> None:
        """Nothing is created or opened yet. `store` is an fsspec address, empty without one."""
        self._folder = folder
        self._store = ArtifactStore(store, patience_s=patience_s) if store else None

    def put(self, data: bytes) -> str:
        """Keep `data`; returns its SHA-256.

        Raises:
            WorkFailed: The disk is full or cannot be written.
            Unavailable: The store is away.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if not path.exists():
            _write_whole(path, data)
        self._publish(_name(sha256), data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """What was kept under a hash, here or in the store.

        Raises:
            NotFound: Nothing was, or what is there has another content.
            Unavailable: It is not here, and the store is away.
        """
        here = _read(self.path(sha256))
        if here is not None and _is(here, sha256):
            return here
        there = self._store.fetch(_name(sha256)) if self._store else None
        if there is not None and _is(there, sha256):
            _write_whole(self.path(sha256), there)
            return there
        if here is None and there is None:
            raise NotFound(f"there is no artifact {sha256[:12]}", do="run the pipeline again")
        where = "on disk" if there is None else "in the artifact store"
        raise NotFound(f"the artifact {sha256[:12]} is damaged {where}", do="delete it and run the pipeline again")

    def path(self, sha256: str) -> Path:
        """Where a hash is kept here."""
        return self._folder / _name(sha256)

    def location(self, sha256: str) -> str:
        """Where whoever may read the artifacts finds a hash: in the store, without one in the data folder."""
        return self._store.url(_name(sha256)) if self._store else str(self.path(sha256))

    def remember(self, fingerprint: str, record: Mapping[str, Any]) -> None:
        """Keep a finished stage's record; `record["artifacts"]` maps names to hashes already kept."""
        name, data = f"{STAGES}/{fingerprint}.json", json.dumps(record, sort_keys=True).encode()
        if self._store:
            self._store.publish(name, data)
        _write_whole(self._folder / name, data)

    def recall(self, fingerprint: str) -> dict[str, Any] | None:
        """The record of a finished stage, if every file it names is still whole, here or in the store.

        Raises:
            Unavailable: The store is away: whether others may rely on this stage cannot be told.
        """
        name = f"{STAGES}/{fingerprint}.json"
        here = _read(self._folder / name)
        data = self._store.fetch(name) if here is None and self._store else here
        try:
            record = json.loads(data or b"")
            files = {sha256: self.get(sha256) for sha256 in record["artifacts"].values()}
        except (NotFound, ValueError, KeyError):
            return None
        if here is None:
            _write_whole(self._folder / name, data or b"")
        elif self._store and not self._store.has(name):  # it was finished before this folder had a store
            for sha256, content in files.items():
                self._publish(_name(sha256), content)
            self._store.publish(name, here)
        return record

    def _publish(self, name: str, data: bytes) -> None:
        if self._store and not self._store.has(name):
            self._store.publish(name, data)


def _name(sha256: str) -> str:
    return f"{FILES}/{sha256[:2]}/{sha256}"


def _is(data: bytes, sha256: str) -> bool:
    return hashlib.sha256(data).hexdigest() == sha256


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write_whole(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WorkFailed(
            f"could not write {len(data)} bytes to {path.parent}: {error.strerror}",
            do="free some disk space, then run again: finished stages are kept",
        ) from error
