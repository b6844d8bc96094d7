"""Small SVG plots, written by hand: no drawing library is worth its weight for four charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 480, 320, 56
BAR_HEIGHT = 20
LABEL_WIDTH = 170
MOST_BARS = 12
_INK, _MODEL, _QUIET = "#222", "#2563a8", "#b8c4d0"


def bars(title: str, values: Mapping[str, float]) -> str:
    """Horizontal bars, longest first; negative values point left of the zero line."""
    shown = sorted(values.items(), key=lambda item: -item[1])[:MOST_BARS]
    low, high = min(0.0, *(value for _, value in shown)), max(1e-12, *(value for _, value in shown))
    scale = (WIDTH - LABEL_WIDTH - MARGIN) / (high - low)
    zero = LABEL_WIDTH - low * scale
    parts: list[str] = []
    for place, (name, value) in enumerate(shown):
        top = 40 + place * (BAR_HEIGHT + 6)
        left, length = (zero, value * scale) if value >= 0 else (zero + value * scale, -value * scale)
        parts += [
            _text(LABEL_WIDTH - 8, top + 14, name[:26], "end"),
            f'<rect x="{left:.1f}" y="{top}" width="{max(length, 0.5):.1f}" height="{BAR_HEIGHT}" fill="{_MODEL}"/>',
            _text(left + max(length, 0) + 4, top + 14, f"{value:.3g}", "start"),
        ]
    return _svg(title, parts, height=60 + len(shown) * (BAR_HEIGHT + 6))


def intervals(title: str, estimates: Mapping[str, Mapping[str, Any]]) -> str:
    """A point and its 95% interval for each name: the model beside its baselines."""
    low = min(part["low"] for part in estimates.values())
    high = max(part["high"] for part in estimates.values())
    scale = (WIDTH - LABEL_WIDTH - MARGIN) / ((high - low) or 1.0)
    parts: list[str] = []
    for place, (name, part) in enumerate(estimates.items()):
        middle = 54 + place * 30
        start, end, point = (LABEL_WIDTH + (part[key] - low) * scale for key in ("low", "high", "value"))
        parts += [
            _text(LABEL_WIDTH - 8, middle + 4, name, "end"),
            _line(start, middle, end, middle, _INK),
            f'<circle cx="{point:.1f}" cy="{middle}" r="5" fill="{_MODEL}"/>',
            _text(point, middle - 9, f"{part['value']:.3f}", "middle"),
        ]
    return _svg(title, parts, height=80 + len(estimates) * 30)


def curve(title: str, points: Sequence[tuple[float, float]], *, x: str, y: str) -> str:
    """Points from (0, 0) to (1, 1) joined by a line, beside the diagonal."""
    wide, high = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return MARGIN + point[0] * wide, HEIGHT - MARGIN - point[1] * high

    path = " ".join(f"{'L' if place else 'M'}{left:.1f} {top:.1f}" for place, (left, top) in enumerate(map(at, points)))
    return _svg(
        title,
        [
            f'<rect x="{MARGIN}" y="{MARGIN}" width="{wide}" height="{high}" fill="none" stroke="{_QUIET}"/>',
            _line(*at((0, 0)), *at((1, 1)), _QUIET),
            f'<path d="{path}" fill="none" stroke="{_MODEL}" stroke-width="2"/>',
            *(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{_MODEL}"/>' for left, top in map(at, points)),
            _text(WIDTH / 2, HEIGHT - 18, x, "middle"),
            f'<text transform="translate(18 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>',
            _text(MARGIN, HEIGHT - MARGIN + 16, "0", "middle"),
            _text(WIDTH - MARGIN, HEIGHT - MARGIN + 16, "1", "middle"),
        ],
        height=HEIGHT,
    )


def matrix(title: str, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """A confusion matrix: truth down, prediction across, darker for more."""
    most = max(1, *(count for row in counts for count in row))
    side = min(60, (WIDTH - LABEL_WIDTH) // max(1, len(classes)))
    parts: list[str] = []
    for down, row in enumerate(counts):
        top = 60 + down * side
        parts.append(_text(LABEL_WIDTH - 8, top + side / 2 + 4, classes[down][:22], "end"))
        for across, count in enumerate(row):
            left, share = LABEL_WIDTH + across * side, count / most
            ink = "#fff" if share > 0.5 else _INK  # noqa: PLR2004 - half as dark as it gets
            box = f'x="{left}" y="{top}" width="{side}" height="{side}" stroke="{_QUIET}"'
            place = f'x="{left + side / 2}" y="{top + side / 2 + 4}" text-anchor="middle" fill="{ink}"'
            parts += [
                f'<rect {box} fill="{_MODEL}" fill-opacity="{share:.2f}"/>',
                f"<text {place}>{count}</text>",
            ]
    return _svg(title, parts, height=80 + len(classes) * side)


def _svg(title: str, parts: Sequence[str], *, height: int) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">'
    )
    return "\n".join(
        [head, f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>', _title(title), *parts, "</svg>\n"]
    )


def _title(title: str) -> str:
    return f'<text x="16" y="22" font-size="14" font-weight="600">{escape(title)}</text>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, ink: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{ink}"/>'
