from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_does_what_it_says(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlestar", "demo", "--keep", "kept"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All of it worked" in done.stdout
    assert "biopsy_result_code" in done.stdout
    assert (tmp_path / "kept" / "breast_cancer_screening").is_dir()
