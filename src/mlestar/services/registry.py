"""What runs made: the registered models with their pointers, and the files of each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread

from mlestar.errors import InvalidInput, NotFound
from mlestar.storage import models, runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from mlestar.settings import Settings
    from mlestar.storage.database import Database

GIVEN_OUT = frozenset({"model.skops", "card.md", "reference_profile.json"})
"""Artifacts that may be asked for by name, beside the plots; others hold rows."""


class RegistryService:
    """Reads what runs registered and kept; moves an environment's pointer back."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float]) -> None:
        """Keep the parts; nothing is opened."""
        self._database = database
        self._settings = settings
        self._clock = clock

    async def models(self, *, workspace: str = "default", name: str = "") -> list[dict[str, Any]]:
        """Registered versions, newest first: name, version, run_id, sha256, record, created."""
        return await self._database.reading(lambda connection: models.versions_of(connection, workspace, name))

    async def pointers(self, *, workspace: str = "default") -> list[dict[str, Any]]:
        """Moves of the environments' pointers, newest first: name, environment, version, at, reason."""
        return await self._database.reading(lambda connection: models.all_pointers(connection, workspace))

    async def roll_back(
        self, *, workspace: str = "default", name: str, environment: str = "production", version: int = 0
    ) -> list[dict[str, Any]]:
        """Point an environment back to a version (0: the one before the present); answers the pointer's history.

        Raises:
            InvalidInput: There is no earlier version to go back to.
            NotFound: No such version.
        """
        at = self._clock()

        def move(connection: Connection) -> list[dict[str, Any]]:
            history = models.pointers(connection, workspace, name, environment)
            present = history[0]["version"] if history else None
            earlier = [entry["version"] for entry in history if entry["version"] != present]
            target = version or next(iter(earlier), 0)
            if not target:
                raise InvalidInput(f"{environment} of {name!r} never pointed to another version", do="name a version")
            models.point(
                connection, workspace=workspace, name=name, environment=environment, version=target, at=at,
                reason=f"rolled back from version {present}",
            )  # fmt: skip
            return models.pointers(connection, workspace, name, environment)

        return await self._database.writing(move)

    async def artifacts(self, *, run_id: str, workspace: str = "default") -> dict[str, str]:
        """What `artifact` gives out of a run: name -> SHA-256.

        Raises:
            NotFound: There is no such run.
        """

        def read(connection: Connection) -> dict[str, dict[str, str]]:
            runs.run_of(connection, run_id, workspace)
            return runs.artifacts_of(connection, run_id)

        stages = await self._database.reading(read)
        return {file: sha256 for files in stages.values() for file, sha256 in files.items() if _given_out(file)}

    async def artifact(self, *, run_id: str, name: str, workspace: str = "default") -> bytes:
        """What a run made, by the name that its stages list: the package, the card, the reference profile, a plot.

        The rows that it learnt from are not given out.

        Raises:
            NotFound: No such run, or it made nothing of that name; `valid` lists what it made.
            Unavailable: It is not on this machine, and the artifact store is away.
        """
        from mlestar.storage.artifacts import Artifacts

        made = await self.artifacts(workspace=workspace, run_id=run_id)
        if name not in made:
            raise NotFound(
                f"run {run_id} made nothing of the name {name!r}", valid=sorted(made), do="name one of those"
            )
        artifacts = Artifacts(self._settings.data_dir, self._settings.artifacts)
        return await anyio.to_thread.run_sync(artifacts.get, made[name])


def _given_out(name: str) -> bool:
    return name in GIVEN_OUT or name.endswith(".svg")
