"""X3.1, X3.3 and X3.5: secrets, model files that run code, and how weaknesses are reported and patched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent
from mlestar.checks.registry import check
from mlestar.core.evidence import Level, Outcome, Verdict, Where, slots
from mlestar.core.facts.project import TEST_PATH
from mlestar.core.project.ci import jobs
from mlestar.core.project.pickles import SAFE_FORMATS, dangerous, unknown
from mlestar.core.project.secrets import find_secrets
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ModelFile

_UNSCANNED = re.compile(r"(\.lock|\.dvc|\.svg|\.min\.js|package-lock\.json)$|(^|/)(dvc\.lock|mlruns/)")
_FIXTURE = re.compile(r"(^|/)(fixtures?|testdata|test_data|mocks?)/")
_PINNED = re.compile(r"@[0-9a-f]{40}$|@sha256:[0-9a-f]{64}$|^\./")


@check("X3.1")
def no_secrets(facts: Facts) -> Iterator[Verdict]:
    """No tracked file holds a credential.

    Why: A key in the history is public to everyone who ever gets a copy, and bots find it within minutes.
    How: Provider formats (AWS, GitHub, Slack, OpenAI and 15 more) and private-key blocks in all tracked text and
        notebook code; lock files, hash files and notebook outputs are left out, published example keys too.
    Threshold: pass when there is none, partial when they stand only in test fixtures or are private keys of an
        account that calls itself dummy, fake or placeholder (which a real one could too), fail otherwise.
    Source: OpenSSF Scorecard; detect-secrets' provider detectors.
    Fix: Revoke the credential at its provider first, then remove it from the files and purge it from the history.
    Limits: Passwords without a provider format are not recognised; only the working tree is read, not old commits.
    """
    project = facts.project
    if project is None:
        return
    sources = {path: text for path, text in project.texts.items() if not _UNSCANNED.search(path)}
    sources |= {path: module.text for path, module in project.modules.items() if module.is_notebook}
    tracked = {path: text for path, text in sources.items() if project.is_tracked(path)}
    if not tracked:
        return
    found = [(path, hit) for path, text in tracked.items() for hit in find_secrets(text)]
    in_use = [
        (path, hit)
        for path, hit in found
        if not (hit.said_to_be_fake or TEST_PATH.search(path) or _FIXTURE.search(path))
    ]
    scope = f"{counted(len(tracked), 'tracked text file')}"
    if not found:
        yield Verdict(
            outcome=Outcome.PASS, level=Level.MEASURED, observed=f"no credential format in {scope}", n=len(tracked)
        )
        return
    path, first = (in_use or found)[0]
    line = first.line
    module = project.modules.get(path)
    where = project.in_code(module, line) if module and module.is_notebook else project.where(path, line)
    places = listed([f"{file}:{hit.line}" for file, hit in (in_use or found)])
    yield Verdict(
        outcome=Outcome.FAIL if in_use else Outcome.PARTIAL,
        level=Level.MEASURED,
        observed=f"{first.provider} ({first.shown}) in {path}; {counted(len(found), 'hit')} in {scope}: {places}",
        where=where,
        n=len(tracked),
        fix=f"revoke the {first.provider} of {path}:{line} now, then remove it and purge the history",
    )


@check("X3.3")
def model_files_are_inert(facts: Facts) -> Iterator[Verdict]:
    """Loading the model files cannot run foreign code.

    Why: Unpickling is running a program: a replaced model file owns the machine that loads it.
    How: Each model file's format; in pickles, joblib and torch files the opcodes are listed (never executed) and what
        they import is held against lists of harmless and dangerous names.
    Threshold: pass when all files are of formats without code (safetensors, ONNX, skops, ...), partial for pickles that
        import only known or project names and for fixtures of tests, fail for an import that runs code.
    Source: picklescan and modelscan (lists of unsafe globals).
    Fix: Save with skops, safetensors or ONNX; replace a file with dangerous imports from a trusted training run.
    Limits: A harmless import can still lead to code in a library with a flaw; files beyond 64 MiB are scanned in part.
    """
    models = list(facts.models)
    if facts.project is not None:
        models += facts.project.models
        if not models:
            yield absent("no model file in the project")
    if not models:
        return
    able = sorted((m for m in models if dangerous(m.imports)), key=lambda model: bool(TEST_PATH.search(model.path)))
    if able:
        worst = able[0]
        is_fixture = bool(TEST_PATH.search(worst.path))
        observed = f"loading {worst.path} imports {listed(dangerous(worst.imports))}"
        yield Verdict(
            outcome=Outcome.PARTIAL if is_fixture else Outcome.FAIL,
            level=Level.MEASURED,
            observed=observed + (", in test fixtures only" if is_fixture else ""),
            where=_of_model(worst),
            n=len(models),
            fix=f"do not load {worst.path}; retrain and save it in a format without code",
        )
        return
    unsafe = [model for model in models if model.format not in SAFE_FORMATS]
    if not unsafe:
        formats = listed(sorted({model.format for model in models}))
        yield Verdict(
            outcome=Outcome.PASS,
            level=Level.MEASURED,
            observed=f"{counted(len(models), 'model file')}, all of formats without code ({formats})",
            where=_of_model(models[0]),
            n=len(models),
        )
        return
    first = unsafe[0]
    odd = unknown(first.imports)
    detail = f"imports outside the known libraries: {listed(odd)}" if odd else "with imports of known libraries only"
    rest = "" if first.complete else "; its array data could not be followed, so it was searched by pattern"
    yield Verdict(
        outcome=Outcome.PARTIAL,
        level=Level.MEASURED,
        observed=f"{counted(len(unsafe), 'file')} that may run code when loaded, e.g. {first.path}, {detail}{rest}",
        where=_of_model(first),
        n=len(models),
        fix=f"re-save {first.path} with skops, safetensors or ONNX",
    )


def _of_model(model: ModelFile) -> Where:
    return Where(path=model.path, sha256=model.sha256)


@check("X3.5")
def weaknesses_have_a_way_in_and_out(facts: Facts) -> Iterator[Verdict]:
    """Weaknesses can be reported, are patched by a bot, and CI runs only pinned actions.

    Why: A moved tag of a foreign action runs in your CI with your credentials.
    How: SECURITY.md with content; a Dependabot or Renovate configuration; every foreign action of the workflows pinned
        by a commit hash.
    Threshold: v = share of the three that hold.
    Source: OpenSSF Scorecard: Security-Policy, Dependency-Update-Tool, Pinned-Dependencies.
    Fix: Add SECURITY.md and .github/dependabot.yml; replace action tags by commit hashes.
    Limits: A bot enabled in the hosting service without a file is not seen.
    """
    project = facts.project
    if project is None:
        return
    policy = any(len(text.split()) > 10 for text in project.documents(r"(^|/)security\.(md|rst|txt)$").values())  # noqa: PLR2004 - a sentence at least
    bot = bool(project.paths(r"(^|/)(\.github/dependabot\.ya?ml|\.?renovate(rc)?(\.json5?)?)$"))
    found = jobs(project)
    uses = [(job.path, use) for job in found for use in job.uses]
    loose = [(path, use) for path, use in uses if not _PINNED.search(use)]
    pinned = bool(found) and not loose
    missing = [
        text
        for holds, text in (
            (policy, "SECURITY.md"),
            (bot, "an update bot's configuration"),
            (pinned, f"actions pinned by hash ({listed([use for _, use in loose]) or 'no CI'})"),
        )
        if not holds
    ]
    where = project.at(loose[0][0], re.escape(loose[0][1])) if loose else None
    observed = f"{3 - len(missing)} of 3" + (f"; missing: {', '.join(missing)}" if missing else "")
    yield slots(3 - len(missing), 3, Level.INSPECTED, observed, where=where, fix=f"add {', '.join(missing)}")
