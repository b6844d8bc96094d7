"""The alerts' thresholds as the settings have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.score.alerting import Thresholds

if TYPE_CHECKING:
    from mlestar.settings import Settings


def thresholds_of(settings: Settings) -> Thresholds:
    """One field a setting `alert_...`."""
    return Thresholds(
        overall_below=settings.alert_overall_below,
        dimension_below=settings.alert_dimension_below,
        failed_runs=settings.alert_failed_runs,
        window_entries=settings.alert_window_entries,
        partial_drift=settings.alert_partial_drift,
    )
