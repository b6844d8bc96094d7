"""How a command starts: settings, services, an event loop. What costs time is imported by who needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mlestar.app import Services


def open_services(
    roots: list[Path] | None, data_dir: Path | None, *, default_roots: tuple[Path, ...] | None = None
) -> Services:
    """Services over the environment's settings; what the command line names comes before them.

    Without any root, `default_roots` may be read; by default the folder one stands in.

    Raises:
        InvalidInput: A setting is wrong; named without its value.
    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from mlestar.app import Services
    from mlestar.errors import InvalidInput
    from mlestar.settings import Settings

    given: dict[str, Any] = {}
    if data_dir is not None:
        given["data_dir"] = data_dir
    if roots:
        given["roots"] = tuple(path.resolve() for path in roots)
    try:
        settings = Settings(**given)
    except (ValidationError, SettingsError) as error:
        raise InvalidInput(_wrong_settings(error), do="correct it in the environment") from None
    if not settings.roots:
        fallback = (Path.cwd(),) if default_roots is None else default_roots
        settings = settings.model_copy(update={"roots": fallback})
    return Services(settings)


def _wrong_settings(error: ValueError) -> str:
    """Which settings are wrong and why, without their values: some are secrets."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    parts = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"MLESTAR_{part['loc'][0]!s}".upper() + f": {part['msg']}" for part in parts)


def finish(call: Coroutine[Any, Any, Any]) -> Any:
    """Run one call to its end."""
    import anyio

    async def wait() -> Any:
        return await call

    return anyio.run(wait)
