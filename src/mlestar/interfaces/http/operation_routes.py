"""REST: what an operator asks: is it up, how is it doing, what can it do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from mlestar import __version__
from mlestar.interfaces.access import current
from mlestar.interfaces.http import replies
from mlestar.interfaces.http.replies import answers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import GaugeMetricFamily

    from mlestar.app import Services
    from mlestar.services.monitoring import Figure


METRICS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
    **answers(None),
}


def operation_router(services: Services) -> APIRouter:
    """Health and metrics."""
    router = APIRouter(tags=["operation"])

    @router.get("/health", responses=answers(replies.HEALTH))
    async def health() -> Any:
        """Whether the server answers."""
        return {"status": "ok", "version": __version__}

    @router.get("/metrics", response_class=Response, responses=METRICS)
    async def metrics() -> Response:
        """Prometheus metrics of the workspaces that the caller may read."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
        from prometheus_client.registry import CollectorRegistry

        figures = await services.monitoring.figures(workspaces=current.get().workspaces)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families(figures))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


class _Families:
    """The figures in the form the Prometheus library renders."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self._figures = list(figures)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        from prometheus_client.core import GaugeMetricFamily

        families: dict[str, GaugeMetricFamily] = {}
        for figure in self._figures:
            if figure.name not in families:
                families[figure.name] = GaugeMetricFamily(
                    figure.name, figure.help, labels=[name for name, _ in figure.labels]
                )
            families[figure.name].add_metric([value for _, value in figure.labels], figure.value)
        return families.values()
