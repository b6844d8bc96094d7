"""`mlestar run`, `rerun`, `models`: pipelines in the foreground with their stages and metrics, and what they made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mlestar.errors import InvalidInput, NotFound
from mlestar.interfaces.mcp import sentences
from mlestar.interfaces.terminal.progress import live_bar
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from pathlib import Path

    from mlestar.app import Services
    from mlestar.core.run import Run
    from mlestar.services.pipelines import Progress

ENDED = frozenset({"succeeded", "failed", "cancelled"})
MOST_BYTES = 1 << 20


async def run_pipeline_file(services: Services, path: Path, *, workspace: str) -> bool:
    """Run the pipeline that the file describes; True when it succeeded.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is not YAML or JSON with `name` and `config`.
    """
    described = await anyio.to_thread.run_sync(_read, path)
    with live_bar("run") as progress:
        run = await services.pipelines.run(
            workspace=workspace, name=described.get("name", path.stem), config=described["config"], progress=progress
        )
        run = await _ended(services, run, workspace, progress)
    return _shown(run)


async def rerun_from(services: Services, run_id: str, *, stage: str, workspace: str) -> bool:
    """Run again from a stage what `run_id` ran; True when it succeeded.

    Raises:
        InvalidInput: There is no such stage.
        Conflict: A stage before it has not succeeded in that run.
        NotFound: No such run.
    """
    with live_bar("run") as progress:
        run = await services.pipelines.fork(workspace=workspace, run_id=run_id, stage=stage, progress=progress)
        run = await _ended(services, run, workspace, progress)
    return _shown(run)


async def models_text(services: Services, *, workspace: str) -> str:
    """A line a registered version, newest first, with the environments that point to it now."""
    moves = await services.registry.pointers(workspace=workspace)
    now: dict[tuple[str, str], int] = {}
    for move in moves:  # newest first
        now.setdefault((move["name"], move["environment"]), move["version"])
    lines = []
    for one in await services.registry.models(workspace=workspace):
        places = [place for (name, place), version in now.items() if (name, version) == (one["name"], one["version"])]
        where = f" <- {', '.join(sorted(places))}" if places else ""
        lines.append(f"{one['name']} version {one['version']} {one['sha256'][:12]} of {one['run_id']}{where}")
    return "\n".join(lines) or "No model is registered."


async def _ended(services: Services, run: Run, workspace: str, progress: Progress) -> Run:
    while run.status not in ENDED:
        run = await services.pipelines.get(workspace=workspace, run_id=run.run_id, wait_s=20, progress=progress)
    return run


def _shown(run: Run) -> bool:
    print(sentences.run(wire(run)))  # noqa: T201 - the command's output
    return run.status == "succeeded"


def _read(path: Path) -> dict[str, Any]:
    import yaml

    if not path.is_file():
        raise NotFound(f"There is no file {path}.", do="name a YAML or JSON file with name and config")
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput(f"{path} is larger than 1 MiB: not a pipeline description.")
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not readable as YAML or JSON: {error}") from error
    if not isinstance(described, dict) or not isinstance(described.get("config"), dict):
        raise InvalidInput(f"{path} has no `config` object.", valid=["name", "config"], do="write name: and config:")
    return described
