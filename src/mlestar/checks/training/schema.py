"""T1.1: the expectations on the data, as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, inspected
from mlestar.checks.measured import measured, measured_by_run
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict, Where
from mlestar.core.facts.project import is_own
from mlestar.core.statistics.inferred_schema import violations
from mlestar.core.wording import listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts

_LIBRARIES = {
    "pandera",
    "great_expectations",
    "tensorflow_data_validation",
    "soda",
    "jsonschema",
    "pointblank",
    "patito",
    "cerberus",
}
_FILES = (
    r"(^|/)(schema|expectations?|data_contract|checks)[^/]*\.(json|ya?ml|pbtxt)$|(^|/)(great_expectations|gx)/.*\.json$"
)
_DEFINES = re.compile(
    r"DataFrameSchema\(|DataFrameModel\)|SchemaModel\)|ExpectationSuite|infer_schema|validate_statistics|\.expect_\w+\(|jsonschema|Draft\w+Validator"
)
_EXPECTS = re.compile(r"\.expect_(?:column|multicolumn|table|select_column)\w*\(")
"""The names that Great Expectations gives its expectations: a fixture may have imported it."""
_CALLS = re.compile(
    r"\.validate\(|validate_statistics\(|\.run_checkpoint\(|checkpoint\.run\(|check_types|check_io|check_input|\.scan\(|jsonschema\.validate|\.expect_\w+\("
)


@check("T1.1")
def schema_exists_is_called_and_holds(facts: Facts) -> Iterator[Verdict]:
    """A schema of the data exists, is called, and holds on the test rows.

    Why: Most failures of models in production are failures of data that nobody had expectations about.
    How: Schemas of pandera, Great Expectations, TFDV, soda or JSON Schema in code, tests or files; a call of validation
        outside tests; a schema inferred from the training rows (columns, types, missing values, categories, ranges)
        held against the test rows. Own runs check their schema on held-out rows.
    Threshold: pass when it exists, is called and holds, partial when it exists or holds, fail for neither.
    Source: ML Test Score, Data 1 and Monitoring 2.
    Fix: Commit a schema and validate in the training and serving path.
    Limits: The project's own schema is not executed; the inferred one is coarser than what its authors know.
    """
    run = facts.run
    if run is not None and run.schema_holds is not None:
        outcome = Outcome.PASS if run.schema_holds else Outcome.PARTIAL
        said = "holds on" if run.schema_holds else "does not hold on"
        yield measured_by_run(run, outcome, f"the run's schema is called and {said} the held-out rows")
    there, called, where = _schema_of(facts.project) if facts.project else (False, False, Where())
    said = "schema exists and is called" if called else "schema exists, nothing calls it" if there else "no schema"
    data = facts.data
    if data is not None and data.train is not None and data.test is not None:
        broken = violations(data.train.frame, data.test.frame, data.target)
        holds = f"{listed(broken)} in {data.test.path}" if broken else f"the inferred schema holds on {data.test.path}"
        outcome = Outcome.PASS if called and not broken else Outcome.PARTIAL if there or not broken else Outcome.FAIL
        column = broken[0].partition(" ")[0] if broken else ""
        yield measured(data.test, outcome, f"{said}; {holds}", column=column)
    elif there:
        yield inspected(Outcome.PARTIAL, f"{said}; whether it holds is not known without train and test", where)
    elif facts.project is not None and facts.project.own_modules:
        if any(file.kind == "data" and is_own(file.path) for file in facts.project.files.values()):
            yield inspected(Outcome.FAIL, "no schema of the data")
        else:
            yield absent("no schema and no data in the project")


def _schema_of(project: ProjectFacts) -> tuple[bool, bool, Where]:
    """Whether a schema is there, whether own code calls one, and where."""
    where: Where | None = None
    called = False
    for module in [*project.own_modules.values(), *project.test_modules.values()]:
        if not module.imported & _LIBRARIES and not _EXPECTS.search(module.text):
            continue
        match = _DEFINES.search(module.text) or _CALLS.search(module.text)
        if match and where is None:
            where = project.in_code(module, module.text.count("\n", 0, match.start()) + 1)
        called = called or (module.path in project.own_modules and bool(_CALLS.search(module.text)))
    files = [path for path in project.paths(_FILES) if project.files[path].size > 2]  # noqa: PLR2004 - more than {}
    if where is None and files:
        where = project.where(files[0])
    return where is not None, called, where or Where()
