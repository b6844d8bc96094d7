"""Finds the model card and its sections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlestar.core.claims.languages import in_english

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

SECTIONS = {
    "model details": r"model (details|card|description|overview|information)|^(details|overview|modell?ing)$|"
    r"architecture",
    "intended use": r"intended (use|purpose)|^use(s| cases?)?$|direct use|how to use|users|applications",
    "factors": r"factors|groups|population|subgroups|environment",
    "metrics": r"metrics|performance measures|thresholds",
    "evaluation data": r"(evaluation|test(ing)?|held-?out|validation) (data|set)|^evaluation$",
    "training data": r"training (data|set|procedure)|^data( ?sets?)?$|^training$",
    "quantitative analyses": r"quantitative|results|performance|slices",
    "ethical considerations": r"ethic|fairness|bias|societal|risks|privacy",
    "caveats and recommendations": r"caveats|recommendations|limitations|known issues|out[- ]of[- ]scope",
}
"""Mitchell et al. 2019, in their order; patterns after the headings of the Hugging Face template."""
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_CARD_METRIC = re.compile(
    r"""type:\s*["']?(?P<type>\w+)["']?\s*[,\n]\s*(?:name:[^\n,]*[,\n]\s*)?value:\s*["']?(?P<value>[0-9.]+%?)"""
)
"""One entry of a card's `model-index`, as a block or in braces: the metric's type, perhaps its name, its value."""
_FOREIGN = re.compile(r"(^|/)(examples?|tests?|vendor|third_party|templates?)/")
_CARD = r"(^|/)model[_-]?card[^/]*\.(md|rst|txt)$|(^|/)card\.md$"
_HEADING = re.compile(r"^(?:#{1,6}\s+(.+?)\s*#*|\*\*(.+?)\*\*:?\s*|([A-Z][^\n]{2,60})\n[=\-~^]{3,})$", re.MULTILINE)


def model_card(project: ProjectFacts) -> str:
    """The card's path, or "": a file by that name, else a README with Hugging Face metadata."""
    found = [path for path in project.paths(_CARD) if path in project.texts and not _FOREIGN.search(path)]
    if found:
        return min(found, key=lambda path: (path.count("/"), path))
    for path in project.paths(r"^readme\.md$"):
        if re.match(r"---\n.*?(model-index|library_name|pipeline_tag):", project.texts.get(path, ""), re.DOTALL):
            return path
    return ""


def card_sections(text: str) -> dict[str, str]:
    """Section name -> its text; a heading's text reaches to the next heading that names another section.

    A heading counts for the first section, in order, that its words name and that is not yet taken.
    """
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    headings = list(_HEADING.finditer(body))
    found: dict[str, str] = {}
    current = ""
    for position, heading in enumerate(headings):
        title = (heading[1] or heading[2] or heading[3] or "").strip(" :").lower()
        title = in_english(title)
        end = headings[position + 1].start() if position + 1 < len(headings) else len(body)
        matches = [name for name, pattern in SECTIONS.items() if re.search(pattern, title)]
        current = next((name for name in matches if name not in found), matches[0] if matches else current)
        if current:
            found[current] = found.get(current, "") + "\n" + body[heading.end() : end]
    return found


def card_metrics(text: str) -> list[tuple[int, str, str]]:
    """The metrics that a card's front matter states, in order: line number, metric, value as written."""
    front = _FRONT_MATTER.match(text)
    if front is None:
        return []
    found = _CARD_METRIC.finditer(text, front.start(1), front.end(1))
    return [(text.count("\n", 0, match.start()) + 1, match["type"], match["value"]) for match in found]
