"""X1: whether a stranger can understand, trust and repeat the work."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, graded, inspected
from mlestar.checks.registry import check
from mlestar.core.claims.model_card import SECTIONS, card_sections, model_card
from mlestar.core.claims.readme import code_blocks, readme_of, references
from mlestar.core.claims.readme_claims import claims
from mlestar.core.claims.slots import is_concrete
from mlestar.core.evidence import Level, Outcome, Verdict, slots
from mlestar.core.facts.project import is_own
from mlestar.core.project.dependencies import LOCK_FILES, REQUIREMENT_FILES
from mlestar.core.wording import counted, listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

_DEPENDENCY_FILES = (
    rf"{LOCK_FILES}|{REQUIREMENT_FILES}|^(pyproject\.toml|setup\.(py|cfg)|Pipfile|DESCRIPTION|Project\.toml|renv\.lock)$|"
    r"(^|/)[^/]*(environment|conda)[^/]*\.ya?ml$"
)
_TRAINS = (
    r"\.fit\(|\.train\(|\.backward\(|train_step|lgb\.train|xgb\.train|\.fine_tune\(|fit_one_cycle|"
    r"(?<![\w.])(fit!|glm|lm|randomForest|ranger)\("
)
_EVALUATES = (
    r"_score\(|classification_report|\.evaluate\(|sklearn\.metrics|torchmetrics|mean_(squared|absolute)\w*error|"
    r"compute_metrics|val(id(ation)?)?_(loss|epoch|step|acc\w*)\b|\.validate\(|\bbacktest\w*\(|"
    r"\bevaluate!\(|\bconfusionMatrix\(|\byardstick\b"
)
_R_AND_JULIA = r"\.(r|rmd|qmd|jl)$"
_RESULTS = re.compile(
    r"^\|[^\n]*\b(accuracy|auc|f1|precision|recall|rmse|mae|r2|r²|log.?loss|score|metric|brier)\b",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER_ROW = re.compile(r"^\|[^\n]*\d\.\d+", re.MULTILINE)
_RUNNABLE = re.compile(
    r"^\s*\$?\s*(python|uv run|make|dvc|mlflow|poetry run|bash|\./|jupyter|snakemake|docker)\b", re.MULTILINE
)
_MOST_MODULES = 300
_MODEL_LINK = re.compile(
    r"https?://(huggingface\.co|github\.com/\S+/releases|drive\.google|zenodo|figshare)\S*", re.IGNORECASE
)


@check("X1.1")
def readme_lets_a_stranger_repeat(facts: Facts) -> Iterator[Verdict]:
    """The project has all five items of the ML code completeness checklist.

    Why: Repositories with all five are the ones that others manage to reproduce.
    How: A dependency file; training code (a module or notebook that fits); evaluation code (one that scores); a trained
        model in the tree or linked; a results table with numbers and runnable commands in the README.
    Threshold: v = share of the five.
    Source: ML Code Completeness Checklist, Papers with Code, 2020.
    Fix: Add what is missing; in the README a results table and the exact commands that produce it.
    Limits: Presence, not correctness: the numbers of the table are not recomputed here.
    """
    project = facts.project
    if project is None or not project.files:
        return
    path = readme_of(project)
    text = project.texts.get(path, "")
    sources = [module.text for module in project.own_modules.values()]
    sources += [source for name, source in project.documents(_R_AND_JULIA).items() if is_own(name)]
    table = bool(_RESULTS.search(text) and _NUMBER_ROW.search(text))
    commands = any(_RUNNABLE.search(block) for _, _, block in code_blocks(text))
    items = {
        "dependency file": bool(project.paths(_DEPENDENCY_FILES)),
        "training code": any(re.search(_TRAINS, source) for source in sources),
        "evaluation code": any(re.search(_EVALUATES, source) for source in sources),
        "trained model": bool(project.models or _MODEL_LINK.search(text)),
        "results table with commands": table and commands,
    }
    missing = [name for name, there in items.items() if not there]
    observed = f"{5 - len(missing)} of 5" + (f"; missing: {', '.join(missing)}" if missing else "")
    where = project.where(path) if path else None
    yield slots(5 - len(missing), 5, Level.INSPECTED, observed, where=where, fix=f"add {', '.join(missing)}")


@check("X1.2")
def model_card_is_complete(facts: Facts) -> Iterator[Verdict]:
    """A model card fills the nine sections of Mitchell et al. with concrete content.

    Why: Who uses the model later knows only what is written down.
    How: A model card file (or a README with card metadata); each of the nine sections needs 20 concrete words; when its
        YAML states metrics that a recorded run also has, they must agree.
    Threshold: v = share of the nine sections filled.
    Source: Mitchell et al. 2019, Model Cards for Model Reporting.
    Fix: Write the sections named, with numbers, names and dates.
    Limits: Whether the text is true is judged by other checks; sections are found by their headings.
    """
    stated = facts.claims.get("excellence", {}).get("documentation")
    if stated:
        yield Verdict(
            outcome=Outcome.PARTIAL,
            level=Level.CLAIMED,
            observed=f"documentation is said to be {str(stated)[:40]!r}: 1 of {len(SECTIONS)} sections at best",
            value=Fraction(1, len(SECTIONS)),
            fix=f"give a model card with {listed(list(SECTIONS), 9)}",
        )
    project = facts.project
    if project is None or not project.files:
        return
    path = model_card(project)
    if not path:
        yield inspected(Outcome.FAIL, "no model card")
        return
    words = int(facts.limit("X1.2", "words"))
    sections = card_sections(project.texts[path])
    filled = [name for name in SECTIONS if _concrete_words(sections.get(name, "")) >= words]
    thin = [f"{name} ({_concrete_words(sections.get(name, ''))} words)" for name in SECTIONS if name not in filled]
    observed = f"{len(filled)} of {len(SECTIONS)} sections" + (f"; missing or thin: {listed(thin, 9)}" if thin else "")
    yield slots(len(filled), len(SECTIONS), Level.DOCUMENTED, observed, where=project.where(path))


def _concrete_words(text: str) -> int:
    return sum(len(line.split()) for line in text.splitlines() if is_concrete(line))


@check("X1.3")
def readme_is_true(facts: Facts) -> Iterator[Verdict]:
    """What the README names and claims exists.

    Why: A README that promises drift detection over an empty file is worse than none: someone will rely on it.
    How: Paths, links, scripts in commands, folder drawings and make targets must exist; statements on 24 topics
        (Kubernetes, drift, rollback, tests, monitoring, ...) need an artefact that does something. Plans and negations
        are no statements; an empty or trivial file is no artefact; what .gitignore covers is not missed.
    Threshold: pass when at least 95% hold and no statement is bare, partial from 80%, fail below.
    Source: This project's own.
    Fix: Delete the statement or build the thing at the lines named.
    Limits: Static: an artefact that exists may still not work.
    """
    project = facts.project
    if project is None:
        return
    path = readme_of(project)
    if not path:
        yield inspected(Outcome.FAIL, "no README")
        return
    named = references(project, path)
    stated = claims(project, path)
    total = len(named) + len(stated)
    if not total:
        yield absent(f"{path} names no path and claims nothing that could be checked")
        return
    bare = [claim for claim in stated if not claim.holds]
    gone = [reference for reference in named if not reference.holds]
    share = 1 - (len(bare) + len(gone)) / total
    outcome = graded(share, facts.limit("X1.3", "pass"), facts.limit("X1.3", "partial"))
    if bare and outcome is Outcome.PASS:
        outcome = Outcome.PARTIAL
    problems = [f"line {claim.line} claims {claim.topic} without an artefact" for claim in bare]
    problems += [f"line {reference.line} names {reference.name}, which is not there" for reference in gone]
    first = min([*(claim.line for claim in bare), *(reference.line for reference in gone)], default=None)
    observed = f"{percent(share)} of {counted(total, 'checkable statement')} hold" + (
        f"; {listed(problems, 6)}" if problems else ""
    )
    yield inspected(outcome, observed, project.where(path, first), n=total)


@check("X1.4")
def public_functions_are_documented(facts: Facts) -> Iterator[Verdict]:
    """Public functions, methods and classes have docstrings.

    Why: A reader needs shapes, units and errors, and the signature has none of them.
    How: Share of public definitions of own modules (tests and notebooks aside) with a docstring, by AST.
    Threshold: pass from 80%, partial from 50%, fail below.
    Source: interrogate's default (80%); the 50% is this project's own.
    Fix: Document the functions named, what they take and give.
    Limits: That there is a docstring, not that it is good; of more than 300 modules every n-th is read.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    bare: list[tuple[str, int, str]] = []
    total = 0
    modules = [(path, module) for path, module in project.own_modules.items() if not module.is_notebook]
    step = -(-len(modules) // _MOST_MODULES) or 1
    for path, module in modules[::step]:
        if module.tree is None:
            continue
        for node in _public(module.tree):
            total += 1
            if not ast.get_docstring(node, clean=False):
                bare.append((path, node.lineno, node.name))
    if not total:
        yield absent("no public function or class outside tests and notebooks")
        return
    share = 1 - len(bare) / total
    named = [f"{path}:{line} {name}" for path, line, name in bare]
    observed = f"{percent(share)} of {counted(total, 'public definition')} documented" + (
        f"; not: {listed(named)}" if bare else ""
    )
    where = project.where(bare[0][0], bare[0][1]) if bare else None
    yield inspected(
        graded(share, facts.limit("X1.4", "pass"), facts.limit("X1.4", "partial")), observed, where, n=total
    )


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    pending: list[ast.Module | ast.ClassDef] = [tree]
    while pending:
        for node in pending.pop().body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith(
                "_"
            ):
                yield node
                if isinstance(node, ast.ClassDef):
                    pending.append(node)
