from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlestar.execution.folder_lock import FolderLock


def test_only_one_holds_the_lock_and_asking_does_not_take_it(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "lock") for _ in range(2))
    assert second.is_free()
    assert first.acquire()
    assert not second.is_free()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_the_lock_of_a_killed_holder_is_free_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mlestar.execution.folder_lock import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); input()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert not FolderLock(tmp_path / "lock").is_free()
        holder.kill()
        holder.wait()
        assert FolderLock(tmp_path / "lock").is_free()
