"""X2: whether changes are seen by a second pair of eyes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent
from mlestar.checks.registry import check
from mlestar.core.evidence import Level, Outcome, Verdict, slots
from mlestar.core.facts.git import YEAR_S, Commit
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.git import GitFacts
    from mlestar.core.facts.project import ProjectFacts

_BOT = re.compile(
    r"\[bot\]|dependabot|renovate|github-actions|pre-commit-ci|greenkeeper|snyk|semantic-release|\bbot\b|copilot|claude|"
    r"anthropic|openai|codex|cursor(agent)?|devin|aider|gemini-code|sourcery|coderabbit",
    re.IGNORECASE,
)
_PULL_REQUEST = re.compile(r"\(#\d+\)\s*$|\(!\d+\)\s*$")
_SERVICES = frozenset({"noreply@github.com", "noreply@gitlab.com", "noreply@bitbucket.org"})
_OWNERS = r"(^|/)(codeowners|maintainers?(\.\w+)?|owners(\.\w+)?|authors(\.\w+)?)$"
_SHOWN = 5


def is_bot(name: str, email: str) -> bool:
    """Whether an identity is a program: its reviews and commits do not count."""
    return bool(_BOT.search(name) or _BOT.search(email))


@check("X2.1")
def changes_are_reviewed(facts: Facts) -> Iterator[Verdict]:
    """The last 30 changes by people were reviewed by somebody else.

    Why: Review is the cheapest test there is, and the only one for intent.
    How: The newest commits on the first-parent line of HEAD that are not a bot's: a Reviewed-by trailer of another
        person, a merge made by somebody who wrote none of its commits, or an approval in an exported pull-request list.
    Threshold: pass with none unreviewed, partial with one, fail with more; inconclusive below five human commits, and
        when what seems unreviewed are pull requests squashed by the hosting service.
    Source: OpenSSF Scorecard Code-Review (reviews by bots and AI do not count).
    Fix: Protect the branch: require one approving review, and keep the trailer or export the approvals.
    Limits: Reviewers who are in the history only as reviewers, and in no owners file, are believed up to the level
        attested: whoever commits can write their names. Approvals that stand only in the hosting service are invisible
        without an export; a number in a subject is no review.
    """
    project = facts.project
    if project is None or project.git is None:
        return
    git = project.git
    wanted, least = int(facts.limit("X2.1", "commits")), int(facts.limit("X2.1", "min_commits"))
    by_sha = {commit.sha: commit for commit in git.commits}
    line = [by_sha[sha] for sha in git.mainline if sha in by_sha]
    human = [commit for commit in line if not is_bot(commit.author, commit.email)][:wanted]
    if len(human) < least:
        observed = f"{counted(len(human), 'commit')} by people: too few to tell; {least} would do"
        yield Verdict(outcome=Outcome.INCONCLUSIVE, level=Level.INSPECTED, observed=observed, n=len(human))
        return
    approved = {
        approval.commit
        for approval in project.reports.approvals
        if any(name and name != approval.author and not is_bot(name, "") for name in approval.approvers)
    }
    by_export = [commit for commit in human if commit.sha in approved]
    loose = [commit for commit in human if commit.sha not in approved and not _reviewed(commit, by_sha)]
    allowed = int(facts.limit("X2.1", "partial"))
    outcome = Outcome.PASS if not loose else Outcome.PARTIAL if len(loose) <= allowed else Outcome.FAIL
    squashed = [commit for commit in loose if _PULL_REQUEST.search(commit.subject) and _by_service(commit)]
    if outcome is Outcome.FAIL and len(loose) - len(squashed) <= allowed:
        observed = (
            f"{len(squashed)} of the last {len(human)} changes are pull requests that the hosting service squashed: "
        )
        observed += "who approved them is not in git"
        fix = "export the pull requests with their approvals, or keep Reviewed-by trailers"
        yield Verdict(outcome=Outcome.INCONCLUSIVE, level=Level.INSPECTED, observed=observed, n=len(human), fix=fix)
        return
    strangers = _strangers(project, human)
    pushed = [commit for commit in loose if commit not in squashed] if outcome is Outcome.FAIL else loose
    named = listed([f"{commit.sha[:7]} {commit.subject[:40]!r}" for commit in pushed], _SHOWN)
    yield Verdict(
        outcome=outcome,
        level=Level.INSPECTED if outcome is Outcome.FAIL or not (by_export or strangers) else Level.ATTESTED,
        observed=f"{len(pushed)} of the last {len(human)} changes unreviewed"
        + (f": {named}" if loose else "")
        + (f"; {len(loose) - len(pushed)} more squashed by the hosting service" if len(pushed) < len(loose) else "")
        + (f"; known only as reviewers: {listed(strangers)}" if strangers else ""),
        n=len(human),
    )


def _strangers(project: ProjectFacts, commits: list[Commit]) -> list[str]:
    """Reviewers of these commits who never wrote or committed one, nor stand in an owners file."""
    git = project.git
    known = {
        name.lower()
        for commit in (git.commits if git is not None else ())
        for name in (commit.author, commit.email, commit.committer, commit.committer_email)
    }
    owners = " ".join(text.lower() for text in project.documents(_OWNERS).values())
    found: set[str] = set()
    for reviewer in {name for commit in commits for name in commit.reviewed_by}:
        name, _, email = (part.strip(" >").lower() for part in reviewer.partition("<"))
        if {name, email} & known - {""} or (email and email in owners) or (name and name in owners):
            continue
        found.add(reviewer)
    return sorted(found)


def _by_service(commit: Commit) -> bool:
    """Whether the hosting service made the commit, as it does when it squashes or rebases a pull request."""
    return commit.committer_email.lower() in _SERVICES


def _reviewed(commit: Commit, known: dict[str, Commit]) -> bool:
    for reviewer in commit.reviewed_by:
        if commit.email.lower() not in reviewer.lower() and commit.author not in reviewer and not is_bot(reviewer, ""):
            return True
    merged = [known[parent] for parent in commit.parents[1:] if parent in known]
    return (
        bool(merged)
        and not is_bot(commit.author, commit.email)
        and all(other.email.lower() != commit.email.lower() and other.author != commit.author for other in merged)
    )


@check("X2.2")
def review_rules_are_in_the_repository(facts: Facts) -> Iterator[Verdict]:
    """Code owners and a pull-request template are in the repository.

    Why: Who must look, and at what, should not depend on memory.
    How: CODEOWNERS with at least one owner; a pull-request or merge-request template with content.
    Threshold: v = share of the two.
    Source: OpenSSF Scorecard Code-Review and Branch-Protection.
    Fix: Add .github/CODEOWNERS and .github/pull_request_template.md.
    Limits: Whether the service enforces them is not seen.
    """
    project = facts.project
    if project is None or not project.files:
        return
    owners = any(
        re.search(r"^[^#\n]\S*\s+\S*@\S+", text, re.MULTILINE)
        for text in project.documents(r"^(\.github/|\.gitlab/|docs/)?codeowners$").values()
    )
    pattern = r"^(\.github/|docs/)?pull_request_template(\.md|\.txt|/)|^\.gitlab/merge_request_templates/"
    template = any(text.strip() for text in project.documents(pattern).values())
    missing = [name for there, name in ((owners, "CODEOWNERS"), (template, "a pull-request template")) if not there]
    observed = f"{2 - len(missing)} of 2" + (f"; missing: {' and '.join(missing)}" if missing else "")
    yield slots(2 - len(missing), 2, Level.INSPECTED, observed)


@check("X2.3")
def more_than_one_maintainer(facts: Facts) -> Iterator[Verdict]:
    """At least two people wrote a real share of last year's commits.

    Why: With one maintainer, a holiday is an outage.
    How: People (bots aside) with at least 10% of the commits in the year before HEAD.
    Threshold: pass with two or more, fail with one; inconclusive below five commits in that year.
    Source: OpenSSF Scorecard Contributors.
    Fix: Bring in a second maintainer.
    Limits: One person with two addresses and two names counts twice; squashed pull requests hide their authors.
    """
    project = facts.project
    if project is None or project.git is None:
        if project is not None:
            yield absent("no readable git history")
        return
    counts = _people(project.git)
    total = sum(counts.values())
    if not total:
        yield absent("no commit by a person in the year before HEAD")
        return
    least = int(facts.limit("X2.3", "min_commits"))
    if total < least and len(counts) < facts.limit("X2.3", "authors"):
        observed = f"{counted(total, 'commit')} by people in the year before HEAD: too few to tell; {least} would do"
        yield Verdict(outcome=Outcome.INCONCLUSIVE, level=Level.INSPECTED, observed=observed, n=total)
        return
    active = [name for name, count in counts.most_common() if count >= facts.limit("X2.3", "share") * total]
    enough = len(active) >= facts.limit("X2.3", "authors")
    observed = (
        f"{counted(len(active), 'person' if len(active) == 1 else 'contributor')} with 10% or more of {total} commits"
    )
    yield Verdict(outcome=Outcome.PASS if enough else Outcome.FAIL, level=Level.INSPECTED, observed=observed, n=total)


def _people(git: GitFacts) -> Counter[str]:
    """Commits by person: the same e-mail or the same name is the same person."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for commit in git.commits:
        if git.head_time - commit.time > YEAR_S or is_bot(commit.author, commit.email) or len(commit.parents) > 1:
            continue
        person = names.setdefault(commit.email.lower(), names.setdefault(commit.author.lower(), commit.author.lower()))
        counts[person] += 1
    return counts
