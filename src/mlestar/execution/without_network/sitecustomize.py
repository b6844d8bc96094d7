"""Refuses connections in an enclosed interpreter whose system gives it no network name space: loopback stays."""  # noqa: INP001 - the interpreter finds it by its name

import errno
import sys

_LOCAL = ("127.", "::1", "localhost")


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) and address else ""
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if host and not str(host).startswith(_LOCAL):
        raise OSError(errno.ENETUNREACH, "Network is unreachable: this trial has none")


sys.addaudithook(_refuse)
