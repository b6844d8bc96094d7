"""Every error a caller can meet, and what each one says.

MlestarError                 code                  HTTP
├── InvalidInput             INVALID_INPUT         422   a value is wrong: says which, and what is valid
│   ├── InputTooLarge        INPUT_TOO_LARGE       413   over a documented limit
│   └── OutsideRoots         OUTSIDE_ROOTS         403   a path leaves the folders this server may read
├── Forbidden                FORBIDDEN             403   the caller's token does not allow it
├── NotFound                 NOT_FOUND             404   an id, file or column that does not exist
├── Conflict                 CONFLICT              409   the state moved on, or does not allow the call
├── BudgetExceeded           BUDGET_EXCEEDED       409   only critical entries are left and no room
├── MissingDependency        MISSING_DEPENDENCY    422   an optional library: says what to install
├── WorkFailed               WORK_FAILED           500   work in a child process ended without a result
└── Unavailable              UNAVAILABLE           503   busy or shutting down: try again

A message is one sentence on what was wrong; `valid` lists the valid choices; `do` says what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class MlestarError(Exception):
    """The root: never raised itself."""

    code: ClassVar[str] = "ERROR"
    http_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        valid: Sequence[object] = (),
        do: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep the parts apart, so that each interface can lay them out its own way."""
        super().__init__(message)
        self.message = message
        self.valid = tuple(str(choice) for choice in valid)
        self.do = do
        self.details = dict(details or {})

    def __str__(self) -> str:
        """The whole error as one line of text, the form an agent reads."""
        parts = [f"{self.code}: {self.message}"]
        if self.valid:
            parts.append(f"Valid: {', '.join(self.valid)}.")
        if self.do:
            parts.append(f"Next: {self.do}.")
        return " ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """The parts as JSON values, for crossing a process boundary and for REST."""
        return {
            "code": self.code,
            "message": self.message,
            "valid": list(self.valid),
            "do": self.do,
            "details": self.details,
        }


class InvalidInput(MlestarError):
    """A value is wrong: the message says which, `valid` what would be right."""

    code = "INVALID_INPUT"
    http_status = 422


class InputTooLarge(InvalidInput):
    """An input over a documented limit."""

    code = "INPUT_TOO_LARGE"
    http_status = 413


class OutsideRoots(InvalidInput):
    """A path that leaves the folders this server may read."""

    code = "OUTSIDE_ROOTS"
    http_status = 403


class Forbidden(MlestarError):
    """The caller's token does not allow this."""

    code = "FORBIDDEN"
    http_status = 403


class NotFound(MlestarError):
    """An id, file or column that does not exist."""

    code = "NOT_FOUND"
    http_status = 404


class Conflict(MlestarError):
    """The state moved on since the caller looked, or does not allow the call."""

    code = "CONFLICT"
    http_status = 409


class BudgetExceeded(MlestarError):
    """Only critical entries are left and the new one does not fit."""

    code = "BUDGET_EXCEEDED"
    http_status = 409


class MissingDependency(MlestarError):
    """An optional library is absent: the message says what to install."""

    code = "MISSING_DEPENDENCY"
    http_status = 422


class WorkFailed(MlestarError):
    """Work in a child process ended without a result."""

    code = "WORK_FAILED"
    http_status = 500


class Unavailable(MlestarError):
    """Busy or shutting down: the same call may succeed later."""

    code = "UNAVAILABLE"
    http_status = 503


def _all_errors(root: type[MlestarError]) -> dict[str, type[MlestarError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _all_errors(child)
    return found


def from_json(parts: Mapping[str, Any]) -> MlestarError:
    """Rebuild an error that `to_json` took apart, in another process."""
    kind = _all_errors(MlestarError).get(str(parts.get("code")), WorkFailed)
    return kind(
        str(parts.get("message", "unknown error")),
        valid=parts.get("valid", ()),
        do=str(parts.get("do", "")),
        details=parts.get("details"),
    )
