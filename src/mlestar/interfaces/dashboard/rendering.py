"""Templates and assets: read once, escaped always; nothing in them is inline, as the security headers demand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.responses import PlainTextResponse, Response

from mlestar import __version__
from mlestar.core.evidence import Level
from mlestar.core.score.rubric import CHECKS, CRITERIA, DIMENSIONS
from mlestar.core.score.views import FindingView

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MINUTE_S = 60
SHORT_HASH = 12


class Renderer:
    """Everything of the package that pages are made of, in memory."""

    def __init__(self) -> None:
        """Read and compile the templates, read the assets."""
        here = files("mlestar.interfaces.dashboard")
        texts = {file.name: file.read_text(encoding="utf-8") for file in here.joinpath("templates").iterdir()}
        self._assets = {file.name: file.read_bytes() for file in here.joinpath("static").iterdir()}
        self._environment = Environment(
            loader=DictLoader(texts),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "when": when,
            "seconds": seconds,
            "figure": figure,
            "short": short,
            "coded": coded,
        }
        shared: dict[str, Any] = {
            "version": __version__,
            "asset": self._address,
            "dimensions": DIMENSIONS,
            "criteria": CRITERIA,
            "checks": CHECKS,
            "levels": [level.value for level in Level],
            "is_view": lambda finding: isinstance(finding, FindingView),
        }
        self._environment.globals.update(shared)
        for name in texts:
            self._environment.get_template(name)

    def html(self, template: str, data: Mapping[str, Any], *, status: int, headers: Mapping[str, str]) -> Response:
        """A page."""
        text = self._environment.get_template(template).render(data)
        return Response(text, status, {"Cache-Control": "no-store", **headers}, "text/html")

    def asset(self, name: str) -> Response:
        """A stylesheet, script or picture; its address changes with its content, so it may be kept for ever."""
        found = self._assets.get(name)
        if found is None:
            return PlainTextResponse("There is no such file.", 404)
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(found, 200, kept, TYPES[name[name.rindex(".") :]])

    def _address(self, name: str) -> str:
        return f"/static/{name}?v={hashlib.sha256(self._assets[name]).hexdigest()[:SHORT_HASH]}"


def when(at: float) -> Markup:
    """Seconds since 1970 as a date and time, UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), moment.strftime("%Y-%m-%d %H:%M UTC")
    )


def seconds(value: float) -> str:
    """A duration the way people say it."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < MINUTE_S:
        return f"{value:.1f} s"
    return f"{int(value // MINUTE_S)} min {int(value % MINUTE_S)} s"


def figure(value: object) -> str:
    """A number with at most four significant digits; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def coded(text: str) -> Markup:
    """Text in which `words between backticks` are set as code; all of it escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    template = Markup("<code>{}</code>")
    return Markup().join(template.format(part) if at % 2 else escape(part) for at, part in enumerate(parts))


def short(text: str) -> str:
    """The first characters of a hash."""
    return text[:SHORT_HASH]
