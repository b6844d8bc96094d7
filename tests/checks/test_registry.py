from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from mlestar.checks.catalogue import load, run_checks
from mlestar.checks.registry import SECTIONS, check, functions_of, parse_doc
from mlestar.core.evidence import Level, Outcome, Verdict
from mlestar.core.facts.collected import Facts
from mlestar.core.score.limits import LIMITS
from mlestar.core.score.rubric import CHECKS, DIMENSIONS

GOOD = """It holds.

    Why: a.
    How: b
        over two lines.
    Threshold: c.
    Source: d.
    Fix: e.
    Limits: f.
    """


def test_every_registered_check_is_in_the_rubric_and_in_its_dimensions_folder() -> None:
    folders = {dimension.id: dimension.key for dimension in DIMENSIONS}
    for check_id, entry in load().items():
        assert check_id in CHECKS
        assert entry.run.__module__.split(".")[2] == folders[check_id[0]], check_id


@pytest.mark.parametrize("check_id", sorted(load()))
def test_a_checks_docstring_says_everything(check_id: str) -> None:
    doc = load()[check_id].doc
    assert all(getattr(doc, name.lower()) for name in SECTIONS)
    assert doc.claim.endswith(".")
    assert not re.search(r"\b(TODO|TBD|FIXME)\b", " ".join(vars(doc).values()))


def test_limits_belong_to_checks_of_the_rubric() -> None:
    assert LIMITS.keys() <= CHECKS.keys()


def test_without_any_input_every_check_is_unknown() -> None:
    findings = run_checks(Facts())
    assert [finding.check for finding in findings] == list(CHECKS)
    assert {(finding.outcome, finding.level) for finding in findings} == {(Outcome.UNKNOWN, Level.NONE)}


def test_a_docstring_without_a_section_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks Fix"):
        parse_doc(GOOD.replace("    Fix: e.\n", ""), "T1.1")


def test_a_docstrings_sections_are_told_apart() -> None:
    doc = parse_doc(GOOD, "T1.1")
    assert (doc.claim, doc.how, doc.limits) == ("It holds.", "b over two lines.", "f.")


def test_a_second_check_of_one_id_is_refused() -> None:
    def again(_facts: Facts) -> Iterable[Verdict]:
        return ()

    again.__doc__ = GOOD
    taken = next(iter(load()))
    with pytest.raises(ValueError, match="registered twice"):
        check(taken)(again)


def test_a_crash_in_one_check_is_an_error_finding_and_the_rest_run_on() -> None:
    broken = Facts(claims={"analysis": 5})  # pyright: ignore[reportArgumentType] - what a defect upstream could pass
    findings = run_checks(broken, ["A1.2", "R2.1"])
    assert [finding.outcome for finding in findings if finding.check == "A1.2"] == [Outcome.ERROR]
    assert "AttributeError" in next(finding.observed for finding in findings if finding.check == "A1.2")
    assert [finding.check for finding in findings if finding.check == "R2.1"] == ["R2.1"]


def test_the_profile_excuses_a_check_and_the_check_itself_cannot() -> None:
    findings = run_checks(Facts(), ["R2.1"], not_applicable={"R2.1": "a batch job"})
    assert [(finding.outcome, finding.observed) for finding in findings] == [(Outcome.NOT_APPLICABLE, "a batch job")]


def test_a_checks_statements_are_read_before_the_check() -> None:
    assert len(functions_of("A2.2")) >= 1
