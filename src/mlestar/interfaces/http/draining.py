"""Ends open requests in an orderly way when the server is told to stop."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio

from mlestar.interfaces.http.errors import error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

WORK_GRACE_S = 1.5
"""Calls that work on something get so long to finish; streams that only listen end at once."""


class Draining:
    """Before it begins, requests just run. Then each is told that its client is gone, and its answer is completed."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._begun = anyio.Event()
        self._open: set[anyio.CancelScope] = set()

    def begin(self) -> None:
        """Let streams end now, and everything else soon."""
        self._begun.set()
        asyncio.get_running_loop().call_later(WORK_GRACE_S, self._cut)

    def _cut(self) -> None:
        for scope in self._open:
            scope.cancel()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request; however it ends while draining, its answer is whole."""
        started = completed = whole = over = False

        async def hear() -> Message:
            nonlocal whole
            if whole:
                return await self._hear_or_drain(receive)
            message = await receive()
            whole = not message.get("more_body", False)
            return message

        async def say(message: Message) -> None:
            nonlocal started, completed, over
            # Some applications answer anew when their stream's client is gone.
            over = over or (started and message["type"] == "http.response.start")
            if over:
                return
            started = True
            completed = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        with anyio.CancelScope() as cut:
            self._open.add(cut)
            try:
                await app(scope, hear if scope["method"] == "GET" else receive, say)
            finally:
                self._open.discard(cut)
        if completed or not self._begun.is_set():
            return
        if started:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            message = "The server is stopping; what was accepted is kept, and a run goes on."
            await error_response(HTTPStatus.SERVICE_UNAVAILABLE, message, "UNAVAILABLE")(scope, receive, send)

    async def _hear_or_drain(self, receive: Receive) -> Message:
        """What the client does next; a disconnect once the server drains."""
        heard: list[Message] = []
        async with anyio.create_task_group() as tasks:

            async def drained() -> None:
                await self._begun.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(drained)
            heard.append(await receive())
            tasks.cancel_scope.cancel()
        return heard[0] if heard else {"type": "http.disconnect"}
