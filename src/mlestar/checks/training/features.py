"""T2.2 and T2.5: feature code that is tested, and the same in training and serving."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, attested, graded, inspected
from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.core.code.import_graph import reachable, tested_modules
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.project.declared_pipelines import training_modules
from mlestar.core.project.deployment import serving_modules
from mlestar.core.wording import counted, listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

_FEATURE_PATH = re.compile(r"feature|preprocess|transform|clean|encod|pipeline", re.IGNORECASE)
_FEATURE_CODE = re.compile(
    r"fit_transform\(|\.transform\(|get_dummies\(|\.fillna\(|make_pipeline\(|Pipeline\(|ColumnTransformer\(|TransformerMixin|"
    r"\.groupby\(|pd\.cut\(|qcut\(|\.astype\(|np\.log1?p?\("
)
_OWN_PREPROCESSING = re.compile(
    r"get_dummies\(|\.fillna\(|Scaler\(|Encoder\(|Imputer\(|fit_transform\(|\.map\(\{|np\.log1?p?\("
)
_PIPELINE = re.compile(r"make_pipeline\(|\bPipeline\(|ColumnTransformer\(|\bpreprocessor\s*=|AutoTokenizer\.")
_DUMPS = re.compile(
    r"(joblib|pickle|cloudpickle|skops\.io|sio)\.dumps?\(|\.dump\(|log_model\(|save_model\(|\.save\(|save_pretrained\(|"
    r"Checkpoint\.from_\w+\("
)
_LOADS = re.compile(
    r"(joblib|pickle|cloudpickle|skops\.io|sio)\.loads?\(|\.load\(|load_model\(|InferenceSession\(|from_checkpoint\(|"
    r"from_pretrained\("
)


def feature_modules(project: ProjectFacts) -> list[SourceModule]:
    """Own modules, notebooks aside, that shape features: by name or by what they call, with a function or class."""
    return [
        module
        for path, module in project.own_modules.items()
        if not module.is_notebook
        and re.search(r"^\s*(def|class) ", module.text, re.MULTILINE)
        and (_FEATURE_PATH.search(path.rpartition("/")[2]) or _FEATURE_CODE.search(module.text))
    ]


@check("T2.2")
def feature_code_is_tested(facts: Facts) -> Iterator[Verdict]:
    """Tests import the feature code and cover it.

    Why: A wrong feature does not crash, it only makes the model quietly worse.
    How: Own modules that shape features, by name and calls; which of them tests import (directly or through another),
        by AST, tests that are always skipped or call and compare nothing aside; their line coverage where a coverage
        report has it. The worse of the two decides.
    Threshold: pass from 75%, partial from 60%, fail below.
    Source: ML Test Score, Data 7; Google Testing Blog 2020 (60 and 75%).
    Fix: Write unit tests for the modules named.
    Limits: An import is not an assertion; without a coverage report only reach is known.
    """
    project = facts.project
    if project is None:
        return
    modules = feature_modules(project)
    if not modules:
        if project.own_modules:
            yield absent("no module that shapes features")
        return
    passing, partial = facts.limit("T2.2", "pass"), facts.limit("T2.2", "partial")
    tested = tested_modules(project)
    bare = [module.path for module in modules if module.path not in tested]
    reach = 1 - len(bare) / len(modules)
    covered = _coverage(project, modules)
    share = reach if covered is None else min(reach, covered)
    observed = f"{len(modules) - len(bare)} of {counted(len(modules), 'feature module')} imported by tests"
    observed += f"; not: {listed(bare)}" if bare else ""
    observed += f"; line coverage {percent(covered)}" if covered is not None else ""
    where = project.where(bare[0] if bare else modules[0].path)
    yield inspected(graded(share, passing, partial), observed, where, n=len(modules))
    if covered is not None:
        yield attested(graded(covered, passing, partial), observed, where, n=len(modules))


def _coverage(project: ProjectFacts, modules: list[SourceModule]) -> float | None:
    hit = total = 0
    for report in project.reports.coverage:
        for name, (covered, lines) in report.files.items():
            if any(module.path.endswith(name) or name.endswith(module.path) for module in modules):
                hit, total = hit + covered, total + lines
    return hit / total if total else None


@check("T2.5")
def training_and_serving_share_transforms(facts: Facts) -> Iterator[Verdict]:
    """Training and serving transform the input with the same code.

    Why: Two implementations of one feature drift apart, and the model serves on inputs it was not trained on.
    How: The import graph: serving and training modules that reach the same feature module; or training that saves one
        fitted Pipeline which serving loads without preprocessing of its own. Own runs package one pipeline object.
    Threshold: pass when shared, partial when serving repeats preprocessing, fail when it shares nothing.
    Source: ML Test Score, Monitoring 3; Rules of ML 32.
    Fix: Export one fitted pipeline and load it in the service, or import one feature module from both.
    Limits: Static; equal outputs on raw rows are not replayed.
    """
    if facts.run is not None and facts.run.single_pipeline:
        yield measured_by_run(facts.run, Outcome.PASS, "features and model are one fitted pipeline")
    project = facts.project
    if project is None:
        return
    serving = [module for module in serving_modules(project) if not module.is_notebook]
    training = [module for module in training_modules(project) if module not in serving] or training_modules(project)
    if not serving or not training:
        if project.own_modules:
            yield absent("no serving code in the project" if not serving else "no training code in the project")
        return
    shapes = {module.path for module in feature_modules(project)}
    from_serving = {path for module in serving for path in reachable(project, module)}
    from_training = {path for module in training for path in reachable(project, module)}
    entries = {module.path for module in serving}
    shared = sorted((from_serving & from_training & shapes) - entries)
    first = serving[0]
    if shared:
        yield inspected(
            Outcome.PASS, f"{first.path} and {training[0].path} both reach {listed(shared)}", project.where(shared[0])
        )
        return
    own = next(((module, match) for module in serving if (match := _OWN_PREPROCESSING.search(module.text))), None)
    if own is not None:
        module, match = own
        line = module.text.count("\n", 0, match.start()) + 1
        yield inspected(
            Outcome.PARTIAL, f"{module.path} preprocesses by itself: {match[0]}", project.in_code(module, line)
        )
        return
    one_object = any(
        _PIPELINE.search(module.text)
        and any(_DUMPS.search(project.modules[path].text) for path in sorted(reachable(project, module)))
        for module in project.own_modules.values()
        if module.path in from_training or module.path in shapes
    )
    loads = any(_LOADS.search(project.modules[path].text) for path in sorted(from_serving))
    if one_object and loads:
        yield inspected(Outcome.PASS, f"training saves one pipeline, {first.path} loads it", project.where(first.path))
    else:
        observed = f"{first.path} shares no feature module with {training[0].path} and loads no pipeline saved by it"
        yield inspected(Outcome.FAIL, observed, project.where(first.path))
