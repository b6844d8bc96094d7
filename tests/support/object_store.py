"""A throw-away object store that speaks S3, for whoever has the packages."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

ADDRESS = "s3://bucket/mlestar"


@contextmanager
def object_store() -> Generator[dict[str, str]]:
    """The environment that leads to a running store with an empty bucket; skips, saying what is missing."""
    s3fs: Any = pytest.importorskip("s3fs", reason="lacks the driver of S3: pip install s3fs")
    moto: Any = pytest.importorskip("moto.server", reason='lacks an object store: pip install "moto[server]"')
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        key = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
        address = f"http://{host}:{port}"
        s3fs.S3FileSystem.clear_instance_cache()  # one of an earlier store would be taken: the key leaves addresses out
        files = s3fs.S3FileSystem(key="any", secret="any", endpoint_url=address)  # noqa: S106 - it asks for none
        bucket = ADDRESS.split("/")[2]
        if files.exists(bucket):  # the process has one memory for all of these stores
            files.rm(bucket, recursive=True)
        files.mkdir(bucket)
        yield {**key, "AWS_ENDPOINT_URL": address}
    finally:
        server.stop()
