"""Where servers and workers on several machines find each other's artifacts: any place that fsspec reaches.

The store holds what a data folder does, under the same names, and nothing half done is ever seen in it: an object store
shows an object when all of it has arrived, elsewhere a file gets its name last.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from typing import Any, TypeVar

from mlestar.errors import InvalidInput, MissingDependency, Unavailable

WHOLE_AT_ONCE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "hf", "memory"})
"""Protocols of object stores: what is written there appears whole. Renaming, there, is a second copy."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, NotImplementedError)
"""What a store says that will not be otherwise in a moment."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class ArtifactStore:
    """One fsspec address and the files below it."""

    def __init__(self, address: str, *, patience_s: float = 0.0) -> None:
        """Nothing is opened yet; a store that is away is tried again for `patience_s` seconds."""
        self.address = address
        self._patience_s = patience_s

    def url(self, name: str) -> str:
        """Where a name is kept, for people: without what opens the store."""
        files, root = self._opened
        return str(files.unstrip_protocol(f"{root}/{name}"))

    def has(self, name: str) -> bool:
        """Whether something was published under a name."""
        files, root = self._opened
        return bool(self._patiently(f"look for {name} in", lambda: files.exists(f"{root}/{name}")))

    def publish(self, name: str, data: bytes) -> None:
        """Show `data` under a name, whole; the same name again is the same content.

        Raises:
            Unavailable: The store is away, full or refuses it; nothing of it is to be seen.
        """
        files, root = self._opened
        path = f"{root}/{name}"
        protocols = {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)
        write = _write if protocols & WHOLE_AT_ONCE else _write_then_name
        self._patiently(f"publish {name} in", lambda: write(files, path, data))

    def fetch(self, name: str) -> bytes | None:
        """What was published under a name; None when nothing was.

        Raises:
            Unavailable: The store is away or refuses it.
        """
        files, root = self._opened

        def read() -> bytes | None:
            try:
                return bytes(files.cat_file(f"{root}/{name}"))
            except FileNotFoundError:
                return None

        return self._patiently(f"fetch {name} from", read)

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        check_installed(self.address)
        from fsspec.core import url_to_fs

        try:
            files, root = url_to_fs(self.address)
        except Exception as error:
            raise self._away("open", error) from error
        return files, str(root).rstrip("/")

    def _patiently(self, what: str, do: Callable[[], T]) -> T:
        until, pause = time.monotonic() + self._patience_s, FIRST_PAUSE_S
        while True:
            try:
                return do()
            except FINAL as error:
                raise self._away(what, error) from error
            except Exception as error:  # every driver has errors of its own
                if time.monotonic() + pause > until:
                    raise self._away(what, error) from error
                _log.warning("could not %s the artifact store, trying again: %s", what, error)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _away(self, what: str, error: Exception) -> Unavailable:
        protocol = self.address.partition("://")[0]
        return Unavailable(
            f"could not {what} the artifact store ({protocol}): {type(error).__name__}: {error}",
            do="see that MLESTAR_ARTIFACTS names it and may be written to, then run again: what was finished is kept",
        )


def check_installed(address: str) -> None:
    """See that an address can be opened, importing no driver.

    Raises:
        MissingDependency: fsspec, or the driver of this protocol, is not installed.
        InvalidInput: fsspec knows no such protocol.
    """
    if find_spec("fsspec") is None:
        raise MissingDependency(
            "MLESTAR_ARTIFACTS needs the library 'fsspec', which is not installed",
            do='pip install "mlestar[artifacts]", and the driver of the store (s3fs, gcsfs, adlfs, ...)',
        )
    from fsspec import available_protocols
    from fsspec.registry import known_implementations, registry

    protocol = address.partition("://")[0]
    if protocol in registry:
        return
    if protocol not in known_implementations:
        raise InvalidInput(
            f"MLESTAR_ARTIFACTS: there is no kind of store {protocol!r}", valid=sorted(available_protocols())
        )
    entry = known_implementations[protocol]
    driver = str(entry["class"]).partition(".")[0]
    if find_spec(driver) is None:
        raise MissingDependency(
            f"MLESTAR_ARTIFACTS names a store of the kind {protocol}, which needs the library {driver!r}",
            do=f"pip install {driver} (fsspec says: {entry.get('err', 'it is not installed')})",
        )


def _write(files: Any, path: str, data: bytes) -> None:
    files.pipe_file(path, data)


def _write_then_name(files: Any, path: str, data: bytes) -> None:
    folder, _, name = path.rpartition("/")
    part = f"{folder}/.part-{name[:12]}-{uuid.uuid4().hex}"
    files.makedirs(folder, exist_ok=True)
    try:
        with files.open(part, "wb") as file:
            file.write(data)
            file.flush()
            if hasattr(file, "fileno"):
                os.fsync(file.fileno())
        files.mv(part, path)
    except Exception:
        if files.exists(part):
            files.rm_file(part)
        if not files.exists(path):  # else another worker was first, with the same content
            raise
