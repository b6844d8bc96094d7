"""Files by content hash, and what a finished stage left behind, by fingerprint.

A file appears whole or not at all: written under a temporary name, synced, renamed. Writing the same content twice
is one file, so a stage that is done again changes nothing.
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


class Artifacts:
    """The artifact folder of one data folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is created yet."""
        self._files = folder / "artifacts"
        self._stages = folder / "stages"

    def put(self, data: bytes) -> str:
        """Keep `data`; returns its SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if not path.exists():
            _write_whole(path, data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """What was kept under a hash.

        Raises:
            NotFound: Nothing was, or what is there has another content.
        """
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"there is no artifact {sha256[:12]}", do="run the pipeline again") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotFound(f"the artifact {sha256[:12]} is damaged on disk", do="delete it and run the pipeline again")
        return data

    def path(self, sha256: str) -> Path:
        """Where a hash is kept."""
        return self._files / sha256[:2] / sha256

    def remember(self, fingerprint: str, record: Mapping[str, Any]) -> None:
        """Keep a finished stage's record; `record["artifacts"]` maps names to hashes already kept."""
        _write_whole(self._stages / f"{fingerprint}.json", json.dumps(record, sort_keys=True).encode())

    def recall(self, fingerprint: str) -> dict[str, Any] | None:
        """The record of a finished stage, if every file it names is still whole."""
        try:
            record = json.loads((self._stages / f"{fingerprint}.json").read_text(encoding="utf-8"))
            for sha256 in record["artifacts"].values():
                self.get(sha256)
        except (FileNotFoundError, NotFound, ValueError, KeyError):
            return None
        return record


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
