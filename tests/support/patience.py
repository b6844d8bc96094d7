"""How long a test waits for what must come: only a defect, never a slow or busy machine, makes it wait that long."""

from __future__ import annotations

PATIENCE_S = 240
