"""`mlestar run PIPELINE.yaml`: run a pipeline in the foreground, with its stages and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mlestar.errors import InvalidInput, NotFound
from mlestar.interfaces.mcp import sentences
from mlestar.interfaces.terminal_progress import live_bar
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from pathlib import Path

    from mlestar.app import Services

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
        while run.status not in ENDED:
            run = await services.pipelines.get(workspace=workspace, run_id=run.run_id, wait_s=20, progress=progress)
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
