"""The composition root: settings in, services out. The only place that picks implementations.

Nothing is built, opened or imported before the first use of it: a server answers `initialize` first.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlestar.core.tokens import Tokenizer
    from mlestar.services.alerts import AlertsService
    from mlestar.services.evaluation import EvaluationService
    from mlestar.services.guide import GuideService
    from mlestar.services.monitoring import MonitoringService
    from mlestar.services.pipelines import PipelinesService
    from mlestar.services.report import ReportService
    from mlestar.services.scores import ScoresService
    from mlestar.services.thinking import ThinkingService
    from mlestar.services.tracing import Tracing
    from mlestar.services.webhook import Webhook
    from mlestar.services.windows import WindowsService
    from mlestar.settings import Settings
    from mlestar.storage.database import Database


class Services:
    """Every use case of one server process, built when first asked for."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; build nothing."""
        self.settings = settings
        self._listeners: list[Callable[[str, Sequence[int]], None]] = []
        self._score_listeners: list[Callable[[str, bool], None]] = []

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
            ReportService(scores=self.scores, pipelines=self.pipelines, windows=self.windows), "report"
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
        """Have `listener(workspace, alerts_changed)` called when `watch_alerts` sees a new score or alert."""
        self._score_listeners.append(listener)

    async def watch_alerts(self) -> None:
        """Settle and tell alerts, and post them if an address is set, until cancelled."""
        from mlestar.services.alerts import AlertWatch

        watch = AlertWatch(self.alerts, self.database, self._score_changed)
        await watch.run(also=self.webhook.run if self.settings.webhook_url else None)

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
        for listener in self._listeners:
            listener(workspace, windows)

    def _score_changed(self, workspace: str, alerts_changed: bool) -> None:
        for listener in self._score_listeners:
            listener(workspace, alerts_changed)
