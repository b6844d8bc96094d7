"""Shows a session: as a tree, a line, a Mermaid graph, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlestar.core.thinking.model import Session, Thought

FIRST_LINE = 100
"""Characters of a thought shown where a line is all there is room for."""


def show(session: Session, thoughts: Sequence[Thought], form: str) -> str:
    """The session in one of the FORMS."""
    return FORMS[form](session, thoughts)


def _linear(session: Session, thoughts: Sequence[Thought]) -> str:
    lines = [_title(session)]
    lines += [f"{thought.label}{_mark(thought)}: {thought.text}" for thought in thoughts]
    return "\n".join(lines) + "\n"


def _tree(session: Session, thoughts: Sequence[Thought]) -> str:
    """Branches hang below the thought they leave from; a revision below the one it revises."""
    children: dict[int, list[Thought]] = {}
    for thought in thoughts:
        children.setdefault(parent_of(thought, thoughts), []).append(thought)
    lines = [_title(session)]

    def walk(seq: int, indent: str) -> None:
        below = children.get(seq, [])
        for at, thought in enumerate(below):
            last = at == len(below) - 1
            lines.append(f"{indent}{'`-' if last else '|-'} {thought.label}{_mark(thought)}: {_first_line(thought)}")
            walk(thought.seq, indent + ("   " if last else "|  "))

    walk(0, "")
    return "\n".join(lines) + "\n"


def _mermaid(session: Session, thoughts: Sequence[Thought]) -> str:
    lines = ["flowchart TD", f'  s0(["{_quoted(session.problem or session.session)}"])']
    for thought in thoughts:
        lines.append(f'  s{thought.seq}["{_quoted(f"{thought.label}: {_first_line(thought)}")}"]')
        arrow = "-. revises .->" if thought.revises else "-->"
        lines.append(f"  s{_before(thought, thoughts)} {arrow} s{thought.seq}")
    return "\n".join(lines) + "\n"


def _markdown(session: Session, thoughts: Sequence[Thought]) -> str:
    lines = [f"# {session.problem or session.session}", ""]
    for thought in thoughts:
        lines += [f"## Thought {thought.label}{_mark(thought)}", "", thought.text, ""]
    return "\n".join(lines)


def _json(session: Session, thoughts: Sequence[Thought]) -> str:
    return json.dumps({**asdict(session), "thoughts": [asdict(thought) for thought in thoughts]}, ensure_ascii=False)


FORMS: dict[str, Callable[[Session, Sequence[Thought]], str]] = {
    "tree": _tree,
    "linear": _linear,
    "mermaid": _mermaid,
    "markdown": _markdown,
    "json": _json,
}


def _target(number: int, thought: Thought, thoughts: Sequence[Thought]) -> int:
    """The newest earlier thought of that number, on the same branch where there is one."""
    earlier = [other for other in thoughts if other.seq < thought.seq and other.number == number]
    same = [other for other in earlier if other.branch == thought.branch] or earlier
    return same[-1].seq if same else 0


def parent_of(thought: Thought, thoughts: Sequence[Thought]) -> int:
    """Where it hangs in the tree: below what it revises, or below where its branch left; 0 = the root."""
    if thought.revises:
        return _target(thought.revises, thought, thoughts)
    if thought.branch:
        first = next(other for other in thoughts if other.branch == thought.branch)
        return _target(first.branch_from, first, thoughts)
    return 0


def _before(thought: Thought, thoughts: Sequence[Thought]) -> int:
    """The thought it follows from: what it revises, where it branches off, or the one before on its line."""
    if thought.revises:
        return _target(thought.revises, thought, thoughts)
    line = [other for other in thoughts if other.seq < thought.seq and other.branch == thought.branch]
    if line:
        return line[-1].seq
    return _target(thought.branch_from, thought, thoughts) if thought.branch_from else 0


def _title(session: Session) -> str:
    state = "concluded" if session.concluded else "open"
    return f"Session {session.session} ({state}): {session.problem or 'no problem stated'}"


def _mark(thought: Thought) -> str:
    return " (superseded)" if thought.superseded else "" if thought.next_needed else " (conclusion)"


def _first_line(thought: Thought) -> str:
    line = " ".join(thought.text.split())
    return line if len(line) <= FIRST_LINE else line[: FIRST_LINE - 1].rstrip() + "\u2026"


def _quoted(text: str) -> str:
    return "".join(f"#{ord(character)};" if character in '"<>&#`' else character for character in text)
