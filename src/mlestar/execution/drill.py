"""Tasks that misbehave on request: they prove on the machine at hand that a child is bounded and reported."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    from mlestar.execution.work import Report

STEP_S = 0.02
HANG_S = 600


def misbehave(payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Do what `payload["do"]` names, one of `DRILLS`."""
    return DRILLS[str(payload["do"])](payload, report)


def _echo(payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    return {"echo": payload.get("value"), "threads": os.environ.get("OMP_NUM_THREADS", "")}


def _count(payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    steps = int(payload["steps"])
    for step in range(1, steps + 1):
        report(step, steps, f"step {step}")
        time.sleep(STEP_S)
    return {}


def _hang(_payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    if os.fork() == 0:  # a grandchild that would outlive a kill of the child alone
        time.sleep(HANG_S)
    report(0, None, str(os.getpgid(0)))
    time.sleep(HANG_S)
    return {}


def _refuse(_payload: Mapping[str, Any], _report: Report) -> NoReturn:
    raise InvalidInput("the drill refuses", valid=("echo",), do="ask for echo")


def _crash(_payload: Mapping[str, Any], _report: Report) -> NoReturn:
    raise ZeroDivisionError("on purpose")


def _allocate(payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    return {"bytes": len(bytearray(int(payload["mb"]) * 2**20))}


def _die(_payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _spin(_payload: Mapping[str, Any], _report: Report) -> NoReturn:
    while True:
        pass


def _streams(_payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    print("to the log")  # noqa: T201 - what is printed must reach the log, never the protocol
    ids = {"group": os.getpgid(0), "pid": os.getpid(), "parent": os.getppid()}
    return {"stdin": os.read(0, 10).decode(), "numeric": "numpy" in sys.modules, **ids}


DRILLS = {
    "echo": _echo,
    "count": _count,
    "hang": _hang,
    "refuse": _refuse,
    "crash": _crash,
    "allocate": _allocate,
    "die": _die,
    "spin": _spin,
    "streams": _streams,
}
