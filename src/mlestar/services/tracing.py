"""OpenTelemetry spans of every use case, when the standard OTEL_* variables name an exporter; nothing otherwise.

Without them not even the library is imported, and services stay as they are built.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

T = TypeVar("T")
EXPORTER = "OTEL_TRACES_EXPORTER"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
ATTRIBUTES = ("workspace", "dimension", "view", "window", "run_id", "pipeline_id", "check_id")
"""Arguments that a span carries: names and ids, never content."""
_log = logging.getLogger(__name__)


def is_configured(environment: Mapping[str, str]) -> bool:
    """Whether the variables of the OpenTelemetry specification ask for traces to be sent."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    chosen = environment.get(EXPORTER, "").lower()
    return chosen != "none" and bool(chosen or any(environment.get(name) for name in ENDPOINTS))


class Tracing:
    """Gives services their spans."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Set the exporter up, if one is configured."""
        self._provider = _provider(environment) if is_configured(environment) else None

    def of(self, service: T, name: str) -> T:
        """The service, with a span named `name.method` around each of its public async methods."""
        if self._provider is None:
            return service
        tracer = self._provider.get_tracer("mlestar")
        for method, function in inspect.getmembers(service, inspect.iscoroutinefunction):
            if not method.startswith("_"):
                setattr(service, method, _traced(tracer, function, f"{name}.{method}"))
        return service

    def close(self) -> None:
        """Send what is not sent yet."""
        if self._provider is not None:
            self._provider.shutdown()


def _traced(tracer: Any, function: Callable[..., Awaitable[Any]], name: str) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        about = {f"mlestar.{key}": str(kwargs[key])[:200] for key in ATTRIBUTES if kwargs.get(key)}
        # an exception is recorded on the span, and its status set, by the context manager
        with tracer.start_as_current_span(name, attributes=about):
            return await function(*args, **kwargs)

    return call


def _provider(environment: Mapping[str, str]) -> Any:
    try:
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporter = _exporter(environment.get(EXPORTER, "").lower() or "otlp")
    except ImportError as error:
        _log.warning('OTEL_* variables are set, but %s is missing: pip install "mlestar[otel]"', error.name)
        return None
    if exporter is None:
        return None
    named = environment.get("OTEL_SERVICE_NAME") or "mlestar"
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: named}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter(chosen: str) -> SpanExporter | None:
    if chosen == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    _log.warning("%s is %r; spans are not sent (valid: otlp, none)", EXPORTER, chosen)
    return None
