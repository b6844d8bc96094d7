from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from mlestar.app import Services
from mlestar.services.tracing import is_configured
from mlestar.settings import Settings
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

CASES = {
    "nothing": ({}, False),
    "an endpoint": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
    "an endpoint of traces": ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
    "an exporter": ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
    "no exporter": ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
    "switched off": ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_spans_are_made_only_when_an_exporter_is_named(case: str) -> None:
    environment, expected = CASES[case]
    assert is_configured(environment) is expected


async def test_the_spans_of_nested_use_cases_reach_a_real_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs the otel extra")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    got: list[ExportTraceServiceRequest] = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Collect)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    services = Services(Settings(data_dir=tmp_path))
    await services.guide.think(workspace="traced", problem="p", steps=["a secret thought"])
    services.close()
    server.shutdown()
    server.server_close()
    spans = {
        span.name: span for one in got for part in one.resource_spans for by in part.scope_spans for span in by.spans
    }
    assert spans["thinking.think"].parent_span_id == spans["guide.think"].span_id
    assert {(a.key, a.value.string_value) for a in spans["guide.think"].attributes} == {("mlestar.workspace", "traced")}
    assert b"secret" not in b"".join(one.SerializeToString() for one in got)


def test_without_an_exporter_the_library_is_not_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from mlestar.app import Services; from mlestar.settings import Settings;"
        f"Services(Settings(data_dir={str(tmp_path)!r})).windows; sys.exit('opentelemetry.sdk' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)
