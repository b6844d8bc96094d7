"""Shell text as simple commands: what is really called, with wrappers taken off."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_KEYWORDS = frozenset(
    {
        "then",
        "do",
        "else",
        "elif",
        "if",
        "while",
        "!",
        "{",
        "(",
        "exec",
        "command",
        "nohup",
        "sudo",
        "time",
        "env",
        "nice",
    }
)
_ENDS = frozenset({"fi", "done", "}", ")", "esac"})
_RUNNERS = frozenset(
    {"uv", "uvx", "poetry", "pdm", "hatch", "pipenv", "rye", "pixi", "conda", "mamba", "micromamba", "pipx"}
)
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
_SEPARATOR = re.compile(r"&&|\|\||;|\||\n|&(?!\d|>)")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
"""What the service fills in; its blanks and its `||` are none of the shell's."""
_IGNORED = re.compile(r"\|\|\s*(true|:|exit\s+0|echo)\b")
_UNHEEDED = re.compile(r"^\s*set\s+\+e\b|^\s*trap\s+.*\bexit\s+0\b.*\bEXIT\b", re.MULTILINE)
"""After it a script goes on, or ends well, whatever fails; unless it keeps the status and exits with that."""
_KEEPS_STATUS = re.compile(r"\bexit\s+[\"']?\$|^\s*set\s+-\w*e", re.MULTILINE)
_TEST_RUNNERS = frozenset({"pytest", "py.test", "nosetests", "nose2", "ctest", "behave", "robot", "stestr", "trial"})
_OF_R_AND_JULIA = re.compile(
    r"^R (.* )?CMD check\b|(^Rscript\b.*\b|^)((testthat::)?test_(local|dir|check|package)|devtools::(test|check)|"
    r"rcmdcheck(::rcmdcheck)?)\(|(^julia\b.*\b|^)Pkg\.test\b|^julia\b.*\bruntests\.jl\b"
)
_NOT_A_RUN = frozenset({"--version", "--help", "-h", "--collect-only", "--co", "-V"})
_TEST_MODULES = frozenset({"pytest", "unittest", "nose2", "doctest"})


@dataclass(frozen=True, kw_only=True)
class Command:
    """One simple command.

    Attributes:
        words: Without environment, `sudo`, `uv run` and the like; `python -m x` is kept as it is.
        path: The file it was written in; `line` there, when known.
        ignored: Its failure changes nothing (`|| true`, continue-on-error).
    """

    words: tuple[str, ...]
    path: str
    line: int | None = None
    ignored: bool = False

    @property
    def text(self) -> str:
        """The words in one line."""
        return " ".join(self.words)


def commands_of(script: str, path: str, line: int | None = None, *, ignored: bool = False) -> Iterator[Command]:
    """Take a shell script apart; comments, echoed text and keywords are not commands."""
    joined = _EXPRESSION.sub(lambda match: f"${{{{{re.sub(r'[^A-Za-z0-9_.-]+', '', match[1])}}}}}", script)
    joined = re.sub(r"\\\n", "  ", joined)
    ignored = ignored or bool(_UNHEEDED.search(joined) and not _KEEPS_STATUS.search(joined))
    for offset, row in enumerate(joined.split("\n")):
        text = re.sub(r"(^|\s)#.*$", "", row)
        forgiven = ignored or bool(_IGNORED.search(text))
        for part in _SEPARATOR.split(text):
            words = _unwrapped(_words(part))
            if words:
                place = line + offset if line is not None else None
                yield Command(words=tuple(words), path=path, line=place, ignored=forgiven)


def runs_tests(command: Command) -> bool:  # noqa: PLR0911 - one answer a tool
    """Whether the command itself runs a test suite."""
    words = command.words
    if any(word in _NOT_A_RUN for word in words):
        return False
    program = words[0].rpartition("/")[2]
    if program in _TEST_RUNNERS or _OF_R_AND_JULIA.search(command.text):
        return True
    if program == "coverage" and words[1:2] == ("run",):
        return bool(_TEST_MODULES & set(words))
    if _is_python(program):
        module = words[words.index("-m") + 1] if "-m" in words[:-1] else ""
        if module == "coverage":
            return bool(_TEST_MODULES & set(words))
        return module in _TEST_MODULES or (any(word.endswith("manage.py") for word in words) and "test" in words)
    if program in {"bazel", "cargo", "npm", "yarn", "pnpm", "go", "hatch", "sbt", "gradle", "gradlew", "mvn"}:
        return words[1:2] in (("test",), ("t",)) or words[1:3] == ("run", "test")
    if program in {"docker", "docker-compose", "podman", "kubectl"}:
        return any(word in _TEST_RUNNERS for word in words[1:])
    return False


def script_called(command: Command) -> str:
    """The project file that a command runs (`./ci/test.sh`, `bash x.sh`, `python train.py`), or ""."""
    words = command.words
    program = words[0].rpartition("/")[2]
    if program in {"bash", "sh", "zsh", "source", ".", "dash"} or _is_python(program):
        if "-m" in words[:-1] and _is_python(program):
            return words[words.index("-m") + 1].replace(".", "/") + ".py"
        candidates = [word for word in words[1:] if not word.startswith("-")]
        return _clean(candidates[0]) if candidates and "-c" not in words else ""
    if "/" in words[0] or words[0].endswith((".sh", ".py")):
        return _clean(words[0])
    return ""


def _clean(path: str) -> str:
    return path.strip("\"'").removeprefix("./")


def _is_python(program: str) -> bool:
    return bool(re.fullmatch(r"python(\d(\.\d+)?)?(\.exe)?|py", program))


def _words(part: str) -> list[str]:
    try:
        return shlex.split(part, comments=False)
    except ValueError:
        return part.split()


def _unwrapped(words: list[str]) -> list[str]:
    while words:
        first = words[0].lstrip("@-") if words[0][:1] in "@-" else words[0]
        if not first or first in _KEYWORDS or _ASSIGNMENT.match(first):
            words = words[1:]
        elif first == "timeout":
            words = [word for word in words[1:] if not word.startswith("-")][1:]
        elif first == "xvfb-run":
            words = [word for word in words[1:] if not word.startswith("-")]
        elif first in _RUNNERS and words[1:2] == ["run"]:
            words = _after_options(words[2:])
        elif first in {"uvx", "pipx"}:
            words = _after_options(words[1:])
        elif first in _ENDS or first in {"echo", "printf"}:
            return []
        else:
            return [first, *words[1:]]
    return []


def _after_options(words: list[str]) -> list[str]:
    """`uv run --group test -- pytest`: drop the runner's own options and their values."""
    while words and words[0].startswith("-"):
        takes_value = "=" not in words[0] and words[0] in {
            "-n",
            "--name",
            "--group",
            "--extra",
            "--with",
            "--python",
            "-p",
            "--env",
            "-e",
            "--package",
            "--project",
            "--directory",
            "--from",
        }
        words = words[2:] if takes_value else words[1:]
    return words
