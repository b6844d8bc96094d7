"""A README taken apart: its prose by section, its commands, and the paths that it names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from mlestar.core.project.commands import commands_of, script_called
from mlestar.core.project.task_files import make_targets

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

_FENCE = re.compile(r"^\s*(```|~~~)\s*(\w*)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_LINK_AWAY = re.compile(r"\[[^\]]*\]\(https?:[^)]*\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH_LIKE = re.compile(
    r"^[\w.-][\w./-]*(/|\.(py|ipynb|md|rst|ya?ml|toml|json|cfg|ini|sh|sql|csv|parquet|pkl|joblib|onnx|pt|h5|txt|lock|tf))$"
)
_TREE_ENTRY = re.compile(r"^[\s│|]*[├└+`]\s*[─\-]+\s*([\w.-]+/?)\s*(?:[#(<-].*|\s.*)?$")
_EXAMPLE = re.compile(
    r"(^|/)(path|your|my|some|example|foo|bar)[_/.-]|(^|/)(path|to|foo|bar)/|\.\.\.|^\d|^v?\d+\.\d+|[_-][ab]\.\w+$"
)
_MADE = re.compile(
    r"\b(will be|generates?d?|creates?d?|writes?|written|saves?d?|produces?d?|downloads?(ed)?|exports?(ed)?)\b"
)
_DATA_FILE = re.compile(r"\.(csv|tsv|parquet|jsonl|zip|gz|xlsx?)$")
_KNOWN_ELSEWHERE = frozenset({"README.md", "requirements.txt/", "and/or", "CI/CD", "A/B", "n/a", "I/O", "TCP/IP"})
_FUTURE_HEADING = re.compile(
    r"roadmap|future|planned|to-?do|next steps|limitations|not (yet|implemented)|ideas|upcoming|known (issues|gaps)|"
    r"out of scope|references|acknowledg|related work|contribut|license|tech(nology)? stack requirements",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of prose (not code), with its number and whether its section speaks of the future."""

    number: int
    text: str
    future: bool


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A path or make target that the README says is there."""

    line: int
    name: str
    holds: bool


def readme_of(project: ProjectFacts) -> str:
    """The path of the project's README, or ""."""
    found = [path for path in project.paths(r"^readme(\.(md|rst|txt))?$") if path in project.texts]
    return min(found, key=len) if found else ""


def prose(text: str) -> list[Line]:
    """Lines outside code blocks, headings and comments included as text."""
    lines: list[Line] = []
    fenced = ""
    future_level = 0
    for number, row in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(row)
        if fence:
            fenced = "" if fenced else fence[1]
            continue
        if fenced:
            continue
        heading = _HEADING.match(row)
        if heading:
            level = len(heading[1])
            if future_level and level <= future_level:
                future_level = 0
            if not future_level and _FUTURE_HEADING.search(heading[2]):
                future_level = level
        lines.append(Line(number=number, text=row, future=bool(future_level)))
    return lines


def code_blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """(first line, language, content) of each fenced block."""
    start, language, rows = 0, "", list[str]()
    for number, row in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(row)
        if fence and start:
            yield start, language, "\n".join(rows)
            start, rows = 0, []
        elif fence:
            start, language = number + 1, fence[2].lower()
        elif start:
            rows.append(row)


def references(project: ProjectFacts, path: str) -> list[Reference]:
    """Every path and make target that the README names, each once, and whether it exists.

    Left out: outputs that .gitignore covers, examples (`path/to/...`), absolute paths, URLs and patterns.
    """
    text = project.texts[path]
    ignored = _ignored(project)
    found: dict[str, Reference] = {}
    for line, name in [*_linked(text), *_coded(text), *_commanded(text), *_listed(text, ignored)]:
        clean = name.split("#")[0].removeprefix("./").rstrip("/")
        if (
            not clean
            or clean in found
            or clean in _KNOWN_ELSEWHERE
            or clean.lower() == "coverage.py"
            or not re.search(r"\w", clean)
            or _EXAMPLE.search(clean)
            or _is_ignored(clean, ignored)
        ):
            continue
        found[clean] = Reference(line=line, name=clean, holds=_exists(project, clean))
    targets = {
        name for file in project.paths(r"(^|/)(gnu)?makefile$") for name in make_targets(project.texts.get(file, ""))
    }
    for line, name in _targets(text):
        found.setdefault(f"make {name}", Reference(line=line, name=f"make {name}", holds=name in targets))
    return sorted(found.values(), key=lambda reference: (reference.line, reference.name))


def _exists(project: ProjectFacts, name: str) -> bool:
    if name in project.files or f"{name}.py" in project.files or f"src/{name}.py" in project.files:
        return True
    inside = name + "/"
    return any(path.startswith(inside) or path.endswith("/" + name) or f"/{inside}" in path for path in project.files)


def _linked(text: str) -> Iterator[tuple[int, str]]:
    for line in prose(text):
        for match in _LINK.finditer(line.text):
            if not re.match(r"[a-z]+:|#|/|\.\./", match[1]) and "<" not in match[1]:
                yield line.number, match[1]


def _coded(text: str) -> Iterator[tuple[int, str]]:
    for line in prose(text):
        if line.future:
            continue
        for match in _CODE.finditer(_LINK_AWAY.sub("", line.text)):
            word = match[1].strip()
            if _PATH_LIKE.match(word) and not word.startswith("/") and not _is_made_later(word, line.text):
                yield line.number, word


def _is_made_later(word: str, text: str) -> bool:
    """A file that running something makes, or a data set by its name alone: its provider has it."""
    return bool(_MADE.search(text)) or ("/" not in word and bool(_DATA_FILE.search(word)))


def _commanded(text: str) -> Iterator[tuple[int, str]]:
    for start, language, block in code_blocks(text):
        if language not in {"", "bash", "sh", "shell", "console", "zsh"} or re.search(r"[│├└]", block):
            continue
        plain = re.sub(r"^\s*[$>]\s+", "", block, flags=re.MULTILINE)
        for command in commands_of(plain, "", start):
            script = script_called(command)
            if script and re.search(rf"https?://\S*/{re.escape(script)}", block):  # it was downloaded a line above
                continue
            if script and _PATH_LIKE.match(script) and command.line and not script.startswith(("-", "/")):
                module = "-m" in command.words
                if not module or "/" in script:
                    yield command.line, script.removesuffix(".py") if module else script
            elif command.words[:1] == ("pip",) and "-r" in command.words[:-1]:
                yield command.line or start, command.words[command.words.index("-r") + 1]


def _listed(text: str, ignored: list[str]) -> Iterator[tuple[int, str]]:
    """Names of files in a drawn folder tree, without what lies in a folder of ignored outputs."""
    for start, _, block in code_blocks(text):
        ignored_from: int | None = None
        for offset, row in enumerate(block.splitlines()):
            match = _TREE_ENTRY.match(row)
            if not match:
                continue
            if ignored_from is not None and match.start(1) > ignored_from:
                continue
            ignored_from = match.start(1) if _is_ignored(match[1].rstrip("/"), ignored) else None
            if "." in match[1].strip(".") or match[1].endswith("/"):
                yield start + offset, match[1]


def _targets(text: str) -> Iterator[tuple[int, str]]:
    for start, _, block in code_blocks(text):
        for command in commands_of(re.sub(r"^\s*\$\s+", "", block, flags=re.MULTILINE), "", start):
            if command.words[0] == "make":
                yield from (
                    (command.line or start, word) for word in command.words[1:] if re.match(r"^[a-z][\w-]*$", word)
                )


def _ignored(project: ProjectFacts) -> list[str]:
    """Patterns of every .gitignore, and what the stages of DVC write: not in git, and yet not missing."""
    rows = [row for path in project.paths(r"(^|/)\.gitignore$") for row in project.texts.get(path, "").splitlines()]
    patterns = [row.strip().strip("/") for row in rows if row.strip() and not row.startswith(("#", "!"))]
    for path, document in project.parsed():
        if path.rpartition("/")[2] in {"dvc.yaml", "dvc.lock"} or path.endswith(".dvc"):
            outputs = list(_outputs(document))
            patterns += [*outputs, *map(posixpath.basename, outputs)]
    return [pattern for pattern in patterns if pattern and pattern != "*"]


def _outputs(value: object) -> Iterator[str]:
    """Paths under `outs`, `metrics` and `plots` at any depth of a DVC file."""
    if not isinstance(value, dict):
        return
    for key, part in value.items():
        entries = part if isinstance(part, list) else [part]
        for entry in entries:
            if key not in {"outs", "metrics", "plots"}:
                yield from _outputs(entry)
            elif isinstance(entry, dict):
                yield from (str(name) for name in ([entry["path"]] if "path" in entry else entry))
            elif isinstance(entry, str):
                yield entry


def _is_ignored(name: str, patterns: list[str]) -> bool:
    base = posixpath.basename(name)
    return any(
        fnmatch(name, pattern) or fnmatch(base, pattern) or fnmatch(name, f"{pattern}/*") or name == pattern
        for pattern in patterns
    )
