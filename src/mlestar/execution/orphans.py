"""Stopping what a killed supervisor left behind, before its runs are taken up: two workers would do one stage twice.

Usually nothing is left: a worker ends when its parent does. One that was frozen then (stopped, swapped out, suspended
with its machine) cannot, and would go on when it thaws.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mlestar.storage.processes import is_running

if TYPE_CHECKING:
    from mlestar.storage.processes import ProcessRecords, Recorded

GONE_WITHIN_S = 5.0
LOOK_S = 0.02
_log = logging.getLogger(__name__)


def reap(records: ProcessRecords) -> list[int]:
    """Kill every recorded process whose starter is gone, with its group; answers their ids.

    Never a foreign one: id and beginning are compared in the moment before the kill, and a group is only killed by its
    leader, whose id cannot belong to anybody else while it runs.
    """
    left = records.left_behind()
    for one in left:
        _log.warning("process %d was left behind by a killed supervisor: it is killed", one.pid)
        _kill(one)
    deadline = time.monotonic() + GONE_WITHIN_S
    while any(is_running(one.pid, one.began) for one in left) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    records.left_behind()  # forgets those that have ended
    return [one.pid for one in left]


def _kill(one: Recorded) -> None:
    if sys.platform == "win32":
        return  # nothing is recorded there
    with suppress(ProcessLookupError, PermissionError):
        leads = os.getpgid(one.pid) == one.pid
        if is_running(one.pid, one.began):
            (os.killpg if leads else os.kill)(one.pid, signal.SIGKILL)
