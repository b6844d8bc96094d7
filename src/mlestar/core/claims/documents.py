"""Which texts of a project state what: the statements of its documents, by the kind of document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlestar.core.claims.text import Statement, from_json, from_markdown

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

MOST_DOCUMENTS = 200
TEXT = re.compile(r"\.(md|markdown|rst|txt|adoc)$", re.IGNORECASE)
SETTINGS = re.compile(r"\.(ya?ml|json|toml)$", re.IGNORECASE)
NOT_STATEMENTS = re.compile(
    r"(^|/)(licen[cs]e|copying|notice|change(log|s)|history|contributing|code_of_conduct|authors|requirements[^/]*|"
    r"cmakelists|robots|third.?party[^/]*)(\.\w+)?$|"
    r"(^|/)(tests?|vendor|third_party|node_modules|site-packages|charts|archived?)/",
    re.IGNORECASE,
)
ANY = r"."
README = r"(^|/)readme([._-]\w\w)?(\.\w+)?$"
CARD = r"model.?card|(^|/)card\."
PROBLEM = (
    r"problem|scope|scoping|charter|overview|brief|prd|requirements?\.(md|ya?ml)|objectives?|goals?|kpi|success|"
    r"projektziel|objetivos|objectifs"
)
DATA = r"data.?(sheet|card|set|dictionary|statement)|croissant|(^|/)data/[^/]*(readme|\.md$)|dataset"
PLAN = r"plan|roadmap|timeline|milestones?|schedule|charter|(^|/)project\.ya?ml|cronograma|calendrier"
EXPERIMENT = r"experiment|a-?b.?test|ab_|design"
RUNBOOK = (
    r"runbook|rollback|operations?|oncall|on-call|incident|playbook|disaster|betriebshandbuch|notfall|operaciones|"
    r"exploitation"
)


def statements_in(project: ProjectFacts | None, *kinds: str) -> list[Statement]:
    """The statements of every tracked document whose path one of the kinds finds; the root's come first."""
    if project is None:
        return []
    wanted = re.compile("|".join(kinds), re.IGNORECASE)
    documents = project.derived("statements of documents", read_documents)
    return [statement for path, stated in documents.items() if _is_of(path, wanted) for statement in stated]


def _is_of(path: str, wanted: re.Pattern[str]) -> bool:
    """Settings are statements only where the file itself is named so: a folder called `plans` holds other ones."""
    return bool(wanted.search(path.rpartition("/")[2] if SETTINGS.search(path) else path))


def read_documents(project: ProjectFacts) -> dict[str, list[Statement]]:
    """Path -> statements of every tracked document, at most `MOST_DOCUMENTS`, the root's first."""
    return {path: _statements_of(project, path) for path in _documents(project)}


def _documents(project: ProjectFacts) -> list[str]:
    paths = [
        path
        for path in {*project.texts, *project.manifests}
        if (TEXT.search(path) or SETTINGS.search(path)) and not NOT_STATEMENTS.search(path) and project.is_tracked(path)
    ]
    return sorted(paths, key=lambda path: (path.count("/"), path))[:MOST_DOCUMENTS]


def _statements_of(project: ProjectFacts, path: str) -> list[Statement]:
    if path in project.manifests:
        return [s for document in project.manifests[path] for s in from_json(document, path=path)]
    front, body, skipped = _front_matter(project.texts[path])
    statements = from_markdown("\n" * skipped + body, path=path)
    return [*_flat_front_matter(front, path), *statements]


def _front_matter(text: str) -> tuple[str, str, int]:
    match = re.match(r"---[ \t]*\n(.*?)\n---[ \t]*\n", text, re.DOTALL)
    return (match[1], text[match.end() :], match[0].count("\n")) if match else ("", text, 0)


def _flat_front_matter(front: str, path: str) -> list[Statement]:
    """`key: value` lines of a front matter; nested ones count under their own key."""
    return from_markdown("\n" + front, path=path) if front else []
