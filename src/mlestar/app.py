"""The composition root: settings in, services out. The only place that picks implementations.

Nothing is built, opened or imported before the first use of it: a server answers `initialize` first.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlestar.core.tokens import Tokenizer
    from mlestar.services.alerts import AlertsService
    from mlestar.services.evaluation import EvaluationService
    from mlestar.services.guide import GuideService
    from mlestar.services.memory.watch import WindowWatch
    from mlestar.services.monitoring import MonitoringService
    from mlestar.services.pipelines import PipelinesService
    from mlestar.services.registry import RegistryService
    from mlestar.services.report import ReportService
    from mlestar.services.scores import ScoresService
    from mlestar.services.thinking import ThinkingService
    from mlestar.services.tracing import Tracing
    from mlestar.services.webhook import Webhook
    from mlestar.services.windows import WindowsService
    from mlestar.settings import Settings
    from mlestar.storage.database import Database


IDLE_LOOK_S = 0.25
"""How often a server that nobody has used yet looks whether it is used."""


class Services:
    """Every use case of one server process, built when first asked for."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; build nothing."""
        self.settings = settings
        self._listeners: list[Callable[[str, Sequence[int]], None]] = []
        self._score_listeners: list[Callable[[str, bool], None]] = []
        self._window_watch: WindowWatch | None = None

    def on_windows_changed(self, listener: Callable[[str, Sequence[int]], None]) -> None:
        """Have `listener(workspace, windows)` called after each committed change of windows."""
        self._listeners.append(listener)

    @cached_property
    def database(self) -> Database:
        """The one database of this process."""
        from mlestar.storage.database import Database

        return Database(self.settings.resolved_database_url)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Counts tokens with the vocabulary of the settings."""
        from mlestar.core.tokens import Tokenizer

        return Tokenizer(self.settings.encoding)

    @cached_property
    def windows(self) -> WindowsService:
        """The seven context windows."""
        from mlestar.services.windows import WindowsService

        return self._tracing.of(
            WindowsService(
                database=self.database,
                tokenizer=self.tokenizer,
                cap_tokens=self.settings.window_cap_tokens,
                clock=time.time,
                on_change=self._windows_changed,
            ),
            "windows",
        )

    @cached_property
    def thinking(self) -> ThinkingService:
        """The thinking loop."""
        from mlestar.services.thinking import ThinkingService

        return self._tracing.of(ThinkingService(windows=self.windows, database=self.database), "thinking")

    @cached_property
    def evaluation(self) -> EvaluationService:
        """The judge."""
        from mlestar.execution.child import run_child
        from mlestar.services.evaluation import EvaluationService

        return self._tracing.of(
            EvaluationService(
                database=self.database,
                windows=self.windows,
                run_child=run_child,
                settings=self.settings,
                clock=time.time,
            ),
            "evaluation",
        )

    @cached_property
    def scores(self) -> ScoresService:
        """What the judge has found so far."""
        from mlestar.services.alert_thresholds import thresholds_of
        from mlestar.services.scores import ScoresService

        return self._tracing.of(
            ScoresService(database=self.database, thresholds=thresholds_of(self.settings)), "scores"
        )

    @cached_property
    def pipelines(self) -> PipelinesService:
        """Runs that really run."""
        from mlestar.services.pipelines import PipelinesService

        return self._tracing.of(
            PipelinesService(
                database=self.database,
                settings=self.settings,
                windows=self.windows,
                evaluation=self.evaluation,
                clock=time.time,
            ),
            "pipelines",
        )

    @cached_property
    def registry(self) -> RegistryService:
        """What runs made."""
        from mlestar.services.registry import RegistryService

        return self._tracing.of(
            RegistryService(database=self.database, settings=self.settings, clock=time.time), "registry"
        )

    @cached_property
    def guide(self) -> GuideService:
        """The integration guide's combined use cases."""
        from mlestar.services.guide import GuideService

        return self._tracing.of(
            GuideService(
                windows=self.windows,
                thinking=self.thinking,
                evaluation=self.evaluation,
                scores=self.scores,
                pipelines=self.pipelines,
            ),
            "guide",
        )

    @cached_property
    def report(self) -> ReportService:
        """Everything known about a workspace on one page."""
        from mlestar.services.report import ReportService

        return self._tracing.of(
            ReportService(scores=self.scores, pipelines=self.pipelines, registry=self.registry, windows=self.windows),
            "report",
        )

    @cached_property
    def monitoring(self) -> MonitoringService:
        """The figures worth tracking."""
        from mlestar.services.monitoring import MonitoringService

        return MonitoringService(scores=self.scores, windows=self.windows, pipelines=self.pipelines)

    @cached_property
    def alerts(self) -> AlertsService:
        """What wants attention, and when it came up."""
        from mlestar.services.alert_thresholds import thresholds_of
        from mlestar.services.alerts import AlertsService

        return AlertsService(
            database=self.database,
            thresholds=thresholds_of(self.settings),
            post=bool(self.settings.webhook_url),
            clock=time.time,
        )

    def on_score_changed(self, listener: Callable[[str, bool], None]) -> None:
        """Have `listener(workspace, alerts_changed)` called when `watch` sees a new score or alert."""
        self._score_listeners.append(listener)

    @property
    def watches_windows(self) -> bool:
        """Whether commits of other processes are seen from now on."""
        return self._window_watch is not None and self._window_watch.is_ready

    async def watch(self, wanted: anyio.Event) -> None:
        """Tell of changed windows, scores and alerts, also those of other processes, until cancelled.

        A server that nobody has used or subscribed to opens and imports nothing: it only waits for `wanted` or for
        its first use of the database.
        """
        while not (wanted.is_set() or self.settings.webhook_url or "database" in self.__dict__):
            with anyio.move_on_after(IDLE_LOOK_S):
                await wanted.wait()
        from mlestar.services.alerts import AlertWatch
        from mlestar.services.memory.watch import WindowWatch

        alerts = AlertWatch(self.alerts, self.database, self._score_changed)
        self._window_watch = WindowWatch(self.database, self._tell_windows)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._window_watch.run)
            await alerts.run(also=self.webhook.run if self.settings.webhook_url else None)

    @cached_property
    def webhook(self) -> Webhook:
        """Posts alerts to the address of the settings."""
        from mlestar.services.webhook import Webhook

        return Webhook(
            database=self.database,
            url=self.settings.webhook_url,
            secret=self.settings.webhook_secret.get_secret_value(),
            clock=time.time,
        )

    @cached_property
    def _tracing(self) -> Tracing:
        from mlestar.services.tracing import Tracing

        return Tracing()

    def close(self) -> None:
        """Release what was opened."""
        if "_tracing" in self.__dict__:
            self._tracing.close()
        if "database" in self.__dict__:
            self.database.close()

    def _windows_changed(self, workspace: str, windows: Sequence[int]) -> None:
        """Our own commit: the watch sees it like any other; without a running watch it is told here."""
        if self._window_watch is not None and self.watches_windows:
            self._window_watch.look_now()
        else:
            self._tell_windows(workspace, windows)

    def _tell_windows(self, workspace: str, windows: Sequence[int]) -> None:
        for listener in self._listeners:
            listener(workspace, windows)

    def _score_changed(self, workspace: str, alerts_changed: bool) -> None:
        for listener in self._score_listeners:
            listener(workspace, alerts_changed)
