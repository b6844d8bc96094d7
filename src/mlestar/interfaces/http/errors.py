"""Every REST error has one shape: {error, message, code, details}; none carries internals."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mlestar.errors import MlestarError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

logger = logging.getLogger(__name__)
CODES: dict[int, str] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "INPUT_TOO_LARGE",
    HTTPStatus.BAD_REQUEST: "INVALID_INPUT",
}
RETRY_AFTER_S = "1"
RETRIED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def error_response(status: int, message: str, code: str, **details: Any) -> JSONResponse:
    """The one shape."""
    body: dict[str, Any] = {"error": HTTPStatus(status).phrase, "message": message, "code": code}
    if details:
        body["details"] = details
    headers = {"Retry-After": RETRY_AFTER_S} if status in RETRIED else None
    return JSONResponse(body, status_code=status, headers=headers)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every kind of failure in that shape."""

    @app.exception_handler(MlestarError)
    async def ours(_: Request, error: MlestarError) -> JSONResponse:
        details = {name: value for name, value in (("valid", list(error.valid)), ("do", error.do)) if value}
        return error_response(error.http_status, str(error), error.code, **details, **error.details)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = [_problem(item) for item in error.errors()]
        return error_response(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(problems), "INVALID_INPUT", problems=problems)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = CODES.get(error.status_code) or HTTPStatus(error.status_code).name
        answer = error_response(error.status_code, f"{request.method} {request.url.path}: {error.detail}", code)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        reference = uuid4().hex[:8]
        logger.error("%s %s failed, reference %s", request.method, request.url.path, reference, exc_info=error)
        message = f"An unexpected {type(error).__name__}; report it with reference {reference} and the server's log."
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, message, "INTERNAL", reference=reference)


def _problem(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"] if part != "body")
    return f"{name or 'body'}: {item['msg']}"
