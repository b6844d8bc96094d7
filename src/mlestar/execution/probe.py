"""Calls a function that a project declares, in the project's own interpreter: a script of its own, enclosed.

It takes one request (JSON, a file) and appends one JSON line for each answer to the file it is told, so that what was
learnt before a crash is kept. It needs pandas and numpy of that interpreter and nothing of this package.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OVERSIZED_ROWS = 20_000
CALL_S = 30
"""Longest that one call may take."""
REPEATS = 5
CLIENT_ERROR = 4
SMALLEST = 60
"""Fewest rows to try a detector on: 30 against 30."""


class TooSlow(BaseException):
    """A call passed its time; no `except Exception` of the project swallows it."""


def main() -> None:
    """Serve the one request."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers = Path(request["answers"])

    def answer(value: dict[str, Any]) -> None:
        with answers.open("a", encoding="utf-8") as file:
            file.write(json.dumps(value) + "\n")

    import pandas as pd

    sample = pd.read_csv(request["sample"])
    module, _, names = request["function"].partition(":")
    function: Any = importlib.import_module(module)
    for name in names.split("."):
        function = getattr(function, name)
    if request["task"] == "detector":
        answer(detected(function, sample))
    elif request["task"] == "latency":
        answer(timed(function, sample, request["warm_up"], request["calls"]))
    elif request["task"] == "previous":
        loaded(function, sample, request["models"], answer)
    else:
        probed(function, sample, request["kinds"], answer)


def rows_of(prediction: Any) -> list[Any]:
    """One value a row of whatever came back: the last axis is flattened."""
    import numpy as np

    values = np.asarray(prediction)
    return list(values.reshape(len(values), -1).tolist()) if values.ndim else [[values.item()]]


def wrong_with(prediction: Any, expected: int) -> str:
    """What is unsafe in a prediction; empty when it is one finite value a row."""
    rows = rows_of(prediction)
    if len(rows) != expected:
        return f"{len(rows)} predictions for {expected} rows"
    for row in rows:
        for value in row:
            if value is None or (isinstance(value, float) and not math.isfinite(value)):
                return f"predicts {value}"
    return ""


def bad_inputs(sample: Any) -> dict[str, Callable[[], Any]]:
    """Kind -> the frame. `sample` has features only."""
    few = sample.head(5)
    numbers = list(few.select_dtypes("number").columns)
    texts = [name for name in few.columns if name not in numbers]
    first = few.columns[0]
    number = numbers[0] if numbers else first

    def with_value(name: str, value: Any) -> Any:
        changed = few.copy()
        changed[name] = [value, *changed[name].iloc[1:]]
        return changed

    def other_order() -> Any:
        changed = few[list(reversed(few.columns))].copy()
        changed["column_that_no_training_saw"] = 1.0
        return changed

    def oversized() -> Any:
        import pandas as pd

        times = -(-OVERSIZED_ROWS // max(1, len(sample)))
        return pd.concat([sample] * times, ignore_index=True).head(OVERSIZED_ROWS)

    unseen = (
        (lambda: with_value(texts[0], "value that no training saw")) if texts else lambda: with_value(number, 1e300)
    )
    return {
        "missing value": lambda: with_value(number, float("nan")),
        "infinity": lambda: with_value(number, float("inf")),
        "unseen category" if texts else "extreme value": unseen,
        "missing column": lambda: few.drop(columns=first),
        "extra column, other order": other_order,
        "wrong type": lambda: with_value(number, "not a number"),
        "no rows": lambda: few.head(0),
        f"{OVERSIZED_ROWS} rows": oversized,
    }


def is_refusal(error: BaseException) -> bool:
    """A deliberate, typed answer: a value or type error, a 4xx, an exception of the project's own or of a validator."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return status // 100 == CLIENT_ERROR
    builtin = type(error).__module__ == "builtins"
    return isinstance(error, (ValueError, TypeError)) or (isinstance(error, Exception) and not builtin)


def limited(function: Callable[..., Any], *arguments: Any) -> Any:
    """The call, ended when it takes too long."""

    def ring(_signal: int, _frame: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(CALL_S)
    try:
        return function(*arguments)
    finally:
        signal.alarm(0)


def probed(
    function: Callable[..., Any], sample: Any, kinds: list[str], answer: Callable[[dict[str, Any]], None]
) -> None:
    """Call with good input, then with each kind of bad input; announce a kind before it is tried."""
    plain = rows_of(limited(function, sample.head(5)))
    problem = wrong_with(plain, len(sample.head(5)))
    made = bad_inputs(sample)
    answer({"kinds": list(made), "plain": problem})
    for kind in [] if problem else kinds or made:
        answer({"trying": kind})
        frame = made[kind]()
        try:
            prediction = limited(function, frame)
            wrong = wrong_with(prediction, len(frame))
            if not wrong and kind == "extra column, other order" and rows_of(prediction) != plain:
                wrong = "predicts something else when the columns stand in another order"
            said = wrong or "a finite prediction"
            safe = not wrong
        except TooSlow:
            safe, said = False, f"no answer within {CALL_S} s"
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is the answer
            safe = is_refusal(error)
            said = f"{type(error).__name__}: {str(error)[:80]}"
        answer({"kind": kind, "safe": safe, "said": said})


def timed(function: Callable[..., Any], sample: Any, warm_up: int, calls: int) -> dict[str, Any]:
    """95th percentile of single-row calls, in milliseconds; fewer calls when they take too long."""
    rows = [sample.iloc[[i % len(sample)]] for i in range(warm_up + calls)]
    took = []
    until = time.monotonic() + CALL_S
    for row in rows:
        start = time.perf_counter()
        limited(function, row)
        took.append(time.perf_counter() - start)
        if time.monotonic() > until and len(took) > warm_up:
            break
    measured = sorted(took[warm_up:])
    rank = max(0, math.ceil(0.95 * len(measured)) - 1)
    return {"p95_ms": 1000 * measured[rank], "calls": len(measured)}


def loaded(load: Callable[..., Any], sample: Any, models: list[str], answer: Callable[[dict[str, Any]], None]) -> None:
    """Load the newest model and the one before it; both predict the sample, and the forms of their answers compare."""
    answer({"rows": len(sample)})
    forms: list[str] = []
    for name, path in zip(("newest", "before"), models, strict=True):
        try:
            model = limited(load, path)
            prediction = limited(getattr(model, "predict", model), sample.copy())
            wrong = wrong_with(prediction, len(sample))
            forms.append("" if wrong else form_of(prediction))
        except TooSlow:
            wrong = f"no answer within {CALL_S} s"
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is the answer
            wrong = f"{type(error).__name__}: {str(error)[:80]}"
        answer({name: wrong})
        if wrong:
            return
    answer({"differs": "" if forms[0] == forms[1] else f"{forms[1]} instead of {forms[0]}"})


def form_of(prediction: Any) -> str:
    """How many values a row, of which type."""
    rows = rows_of(prediction)
    kinds = {
        "text" if isinstance(v, str) else "yes or no" if isinstance(v, bool) else "number" for r in rows for v in r
    }
    return f"{len(rows[0]) if rows else 0} {' and '.join(sorted(kinds))} a row"


def detected(function: Callable[..., Any], sample: Any) -> dict[str, Any]:
    """Alarms on random halves of the rows, as they are and with every number shifted by 0.6 standard deviations."""
    if len(sample) < SMALLEST:
        return {"problem": f"{len(sample)} rows, and a detector is tried on at least {SMALLEST}"}
    numbers = list(sample.select_dtypes("number").columns)
    if not numbers:
        return {"problem": "no numeric column to shift"}
    fired = false_alarms = 0
    half = len(sample) // 2
    for seed in range(REPEATS):
        order = list(range(len(sample)))
        random.Random(seed).shuffle(order)  # noqa: S311 - a reproducible shuffle, no secret
        reference = sample.iloc[order[:half]].reset_index(drop=True)
        current = sample.iloc[order[half:]].reset_index(drop=True)
        shifted = current.copy()
        for name in numbers:
            shifted[name] = current[name].astype(float) + 0.6 * float(sample[name].std() or 0.0)
        false_alarms += said_yes(limited(function, reference.copy(), current))
        fired += said_yes(limited(function, reference.copy(), shifted))
    return {"rows": half, "of": REPEATS, "fired": fired, "false_alarms": false_alarms}


def said_yes(value: Any) -> bool:
    """Only a yes or no is one."""
    plain = value.item() if hasattr(value, "item") else value
    if not isinstance(plain, (bool, int)):
        raise TypeError(f"the detector answered {type(value).__name__}, not true or false")
    return bool(plain)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
