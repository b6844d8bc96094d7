"""The protocol's official conformance suite, for both revisions, against the fixtures app and the bare product.

Usage: python .ci/conformance.py FOLDER
FOLDER is where npm installs it. The fixtures app (tests/conformance_app.py) must pass every server scenario that a
revision requires; the product itself every scenario that needs no fixture. There is no list of expected failures.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from node import install, run
from serving import free_port, serving

ROOT = Path(__file__).parent.parent
PACKAGE = "@modelcontextprotocol/conformance"
PROGRAM = Path("dist/index.js")
TIMEOUT_S = 300
RESULT = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[^/]*$")

GENERIC_2025 = frozenset(
    {
        "server-initialize",
        "ping",
        "completion-complete",
        "tools-list",
        "server-sse-multiple-streams",
        "resources-list",
        "resources-subscribe",
        "resources-unsubscribe",
        "prompts-list",
        "dns-rebinding-protection",
    }
)
GENERIC_2026 = frozenset(
    {
        "server-stateless",
        "completion-complete",
        "tools-list",
        "server-sse-multiple-streams",
        "resources-list",
        "sep-2164-resource-not-found",
        "prompts-list",
        "dns-rebinding-protection",
        "caching",
        "input-required-result-unsupported-methods",
        "http-header-validation",
    }
)
FIXTURE_CHECKS = frozenset(
    {
        "sep-2575-server-rejects-undeclared-capability",
        "sep-2575-missing-capability-http-400",
        "sep-2575-server-sends-tools-list-changed-on-subscription",
        "sep-2575-server-sends-prompts-list-changed-on-subscription",
    }
)
"""The checks of server-stateless that call tools of the fixtures (test_missing_capability, test_trigger_*)."""
UNJUDGED = ("INFO", "SKIPPED")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """One version of the suite at one revision of the protocol."""

    version: str
    revision: str
    options: tuple[str, ...]
    generic: frozenset[str]


SUITES = (
    Suite(
        version="0.1.16",
        revision="2025-11-25",
        options=("--suite", "active"),  # what this version requires: all but what it calls pending
        generic=GENERIC_2025,
    ),
    Suite(
        version="0.2.0-alpha.12",
        revision="2025-11-25",
        options=("--requirements", "2025-11-25"),
        generic=GENERIC_2025 | {"server-session-lifecycle"},
    ),
    Suite(
        version="0.2.0-alpha.12",
        revision="2026-07-28",
        options=("--requirements", "2026-07-28"),
        generic=GENERIC_2026,
    ),
)

Checks = dict[str, dict[str, str]]
"""Scenario -> check -> what failed; empty when it passed."""


def results(package: Path, suite: Suite, url: str, output: Path) -> tuple[int, Checks]:
    """Run a suite; its exit code and what it found."""
    arguments = ["server", "--url", f"{url}/mcp", *suite.options, "-o", str(output)]
    shutil.rmtree(output, ignore_errors=True)
    done = run(package / PROGRAM, *arguments, folder=package, timeout_s=TIMEOUT_S)
    found: Checks = {}
    for file in sorted(output.glob("*/checks.json")):
        match = RESULT.search(file.parent.name)
        if match is None:
            sys.exit(f"a result with a name of another form: {file.parent.name}")
        checks = found[match[1]] = {}
        for one in json.loads(file.read_text(encoding="utf-8")):
            if one["status"] not in UNJUDGED:  # a check may repeat: one failure stays, and a warning is one
                failure = "" if one["status"] == "SUCCESS" else one.get("errorMessage") or one["status"]
                checks[one["id"]] = checks.get(one["id"], "") or failure
    return done.returncode, found


def required(package: Path, suite: Suite, found: Checks) -> set[str]:
    """The server scenarios that the revision requires; the older version runs nothing else."""
    requirements = package / "requirements" / f"{suite.revision}.yaml"
    if not requirements.exists():
        return set(found)
    return set(yaml.safe_load(requirements.read_text(encoding="utf-8"))["server"])


def report(name: str, suite: Suite, wanted: set[str] | frozenset[str], found: Checks) -> bool:
    """Print what passed of what was wanted, and each failure."""
    missing = wanted - set(found)
    failed = {scenario: message for scenario in sorted(wanted & set(found)) if (message := _failure(found[scenario]))}
    checks = sum(not failure for scenario in wanted & set(found) for failure in found[scenario].values())
    passed = len(wanted) - len(missing) - len(failed)
    print(f"{name}, {suite.revision} ({suite.version}): {passed} of {len(wanted)} scenarios, {checks} checks passed")
    for scenario, message in {**dict.fromkeys(sorted(missing), "did not run"), **failed}.items():
        print(f"  {scenario}: {message}", file=sys.stderr)
    return not missing and not failed


def _failure(checks: dict[str, str]) -> str:
    return "; ".join(f"{check}: {message}" for check, message in checks.items() if message)


def main() -> int:
    """Run every suite on both applications."""
    folder = Path(sys.argv[1]).resolve()
    packages = {
        version: install(folder / version, f"{PACKAGE}@{version}")
        for version in sorted({suite.version for suite in SUITES})
    }
    good = True
    port = free_port()
    fixtures = [sys.executable, str(ROOT / "tests" / "conformance_app.py"), str(port), str(folder / "fixtures")]
    with serving(fixtures, port) as url:
        for number, suite in enumerate(SUITES):
            package = packages[suite.version]
            code, found = results(package, suite, url, folder / f"fixtures-{number}")
            wanted = required(package, suite, found)
            good &= report("required, fixtures app", suite, wanted, found) and code == 0
            beyond = sorted(set(found) - wanted)
            if beyond:
                served = [scenario for scenario in beyond if found[scenario] and not _failure(found[scenario])]
                print(f"  beyond: {len(served)} of {len(beyond)} unscored scenarios pass ({', '.join(served)})")
    port = free_port()
    product = [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--port", str(port)]
    with serving([*product, "--data-dir", str(folder / "product")], port) as url:
        for number, suite in enumerate(SUITES):
            _, found = results(packages[suite.version], suite, url, folder / f"product-{number}")
            for check in FIXTURE_CHECKS & set(found.get("server-stateless", ())):
                del found["server-stateless"][check]
            good &= report("generic, the product", suite, suite.generic, found)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
