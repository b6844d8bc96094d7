"""What running a project's own code showed: only when an evaluation was asked to execute it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class TestTrial:
    """The project's tests, run once.

    Attributes:
        command: As it was run, for people.
        cases: Test cases that the runner listed.
        failed: Names of cases that failed or broke by themselves.
        unmet: Names of cases that broke for what the enclosure withholds (network, a package) -> what they lacked.
        lines: Own code: (covered, all) lines; None when no coverage tool was there.
        uncovered: Own modules, those with most uncovered lines first.
        problem: Why there is no result at all; empty when there is one.
        log: The end of what it printed, when there was a problem.
    """

    __test__ = False

    command: str
    cases: int = 0
    failed: tuple[str, ...] = ()
    unmet: dict[str, str] = field(default_factory=dict)
    lines: tuple[int, int] | None = None
    uncovered: tuple[str, ...] = ()
    problem: str = ""
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingTrial:
    """The training command, run in one fresh copy after another.

    Attributes:
        command: As declared.
        runs: How often it ended well.
        seconds: Of the first run.
        compared: The files that both runs wrote and that were compared, predictions before models.
        equal: Both runs wrote the same bytes; None when nothing could be compared.
        metric, change, standard_error: When predictions differ: by how much, and the metric's bootstrap standard error.
        problem, log: As of `TestTrial`.
    """

    command: str
    runs: int = 0
    seconds: float = 0.0
    compared: tuple[str, ...] = ()
    equal: bool | None = None
    metric: str = ""
    change: float | None = None
    standard_error: float | None = None
    problem: str = ""
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class PredictTrial:
    """The declared predict function, called with good and with bad input.

    Attributes:
        function: module:function.
        answers: Kind of bad input -> (safe, what happened).
        crashes: Kinds that ended the whole process.
        latency_p95_ms: Of single rows, after warm-up; None when not reached.
        calls: Timed calls.
        problem, log: As of `TestTrial`.
    """

    function: str
    answers: dict[str, tuple[bool, str]] = field(default_factory=dict)
    crashes: tuple[str, ...] = ()
    latency_p95_ms: float | None = None
    calls: int = 0
    problem: str = ""
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class DetectorTrial:
    """The declared drift detector, called on shifted and on resampled rows, `of` times each.

    `fired` counts alarms on shifted rows, `false_alarms` those on rows of the same distribution.
    """

    function: str
    rows: int = 0
    of: int = 0
    fired: int = 0
    false_alarms: int = 0
    problem: str = ""
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class PreviousTrial:
    """The model file before the newest, loaded by the declared function and asked to predict the same rows.

    Attributes:
        function: module:function.
        path, sha256: Of the file before the newest.
        rows: Rows that were predicted.
        wrong: Why it does not load or predict; empty when it does.
        differs: How its predictions differ in form from the newest's; empty when they are alike.
        problem, log: As of `TestTrial`.
    """

    function: str
    path: str = ""
    sha256: str = ""
    rows: int = 0
    wrong: str = ""
    differs: str = ""
    problem: str = ""
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class TrialFacts:
    """What was run. A part that is None is not declared by the project, or belongs to no dimension asked for.

    `enclosure` says in words how it was kept from the network and from other files.
    """

    enclosure: str = ""
    tests: TestTrial | None = None
    training: TrainingTrial | None = None
    predict: PredictTrial | None = None
    detector: DetectorTrial | None = None
    previous: PreviousTrial | None = None
