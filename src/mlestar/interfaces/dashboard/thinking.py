"""Thinking sessions, each as a tree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.thinking.model import Thought
from mlestar.core.thinking.views import parent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from mlestar.interfaces.dashboard.page import Page

MOST_SESSIONS = 200
PER_PAGE = 200
DEEPEST = 6
"""Levels that are indented; a longer chain of revisions goes on at this one."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A thought and its place in the tree."""

    thought: Thought
    depth: int


async def sessions(page: Page) -> Response:
    """The sessions, the one worked on last first."""
    found = await page.services.thinking.sessions(workspace=page.workspace, limit=MOST_SESSIONS)
    return page.show("thinking.html", sessions=found)


async def session(page: Page) -> Response:
    """One session as a tree: branches below the thought they leave from, a revision below what it revises."""
    name, offset = page.request.path_params["session"], page.number("offset")
    told = json.loads(await page.services.thinking.view(workspace=page.workspace, session=name, form="json"))
    nodes = tree([Thought(**parts) for parts in told["thoughts"]])
    return page.show(
        "session.html",
        session=told,
        nodes=nodes[offset : offset + PER_PAGE],
        total=len(nodes),
        offset=offset,
        per_page=PER_PAGE,
    )


def tree(thoughts: Sequence[Thought]) -> list[Node]:
    """Every thought in the order a tree is read, with its depth, 0 at the root."""
    children: dict[int, list[Thought]] = {}
    for thought in thoughts:
        children.setdefault(parent_of(thought, thoughts), []).append(thought)
    nodes: list[Node] = []
    waiting = [(thought, 0) for thought in reversed(children.get(0, []))]
    while waiting:
        thought, depth = waiting.pop()
        nodes.append(Node(thought=thought, depth=min(depth, DEEPEST)))
        waiting += [(child, depth + 1) for child in reversed(children.get(thought.seq, []))]
    return nodes
