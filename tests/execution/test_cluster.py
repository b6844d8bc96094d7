"""Fits that are spread over a cluster: the same model, the same numbers, the same limits."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.errors import InvalidInput, MissingDependency, Unavailable
from mlestar.execution.cluster import spread
from mlestar.execution.worker import work
from mlestar.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
CONFIG: dict[str, Any] = {
    "data": {"source": "sklearn:iris"},
    "training": {"algorithm": "auto", "timeBudgetS": 600, "tuning": {"trials": 1}},
}


class Told:
    """A worker's channel that keeps the events."""

    def __init__(self) -> None:
        self.finished: dict[str, Any] = {}

    def __call__(self, *_: Any) -> None:
        pass

    def event(self, value: Any) -> None:
        if value["status"] == "succeeded":
            self.finished[value["stage"]] = value


def worked(folder: Path, cluster: str) -> dict[str, Any]:
    told: Any = Told()
    bounds = {"max_rows": 10_000, "max_bytes": 2**20}
    work({"config": CONFIG, "roots": [], "folder": str(folder), "cluster": cluster, **bounds}, told)
    return told.finished


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    if find_spec("distributed") is None:
        pytest.skip('lacks Dask: pip install "mlestar[dask]"')
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"  # its workers import it: it cannot be given by -c
    script.write_text(CLUSTER, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"dask://{process.stdout.readline().strip().removeprefix('tcp://')}"
        process.communicate("")


@pytest.mark.filterwarnings("default")  # of the cluster's library
def test_a_run_makes_the_same_files_whether_it_fits_here_or_on_a_cluster(tmp_path: Path, dask: str) -> None:
    here, there = worked(tmp_path / "here", ""), worked(tmp_path / "there", dask)
    for stage in ("training", "evaluation"):
        assert there[stage]["artifacts"] == here[stage]["artifacts"]
    assert there["training"]["output"]["out_of_fold"] == here["training"]["output"]["out_of_fold"]
    assert there["training"]["output"]["time"]["used_s"] > 0.2, "what others spend on a run counts in its budget"


@pytest.mark.parametrize(("kind", "library"), [("dask", "distributed"), ("ray", "ray")])
def test_a_cluster_without_its_library_names_the_extra(
    kind: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    with pytest.raises(MissingDependency, match=library) as caught, spread(f"{kind}://nowhere:1"):
        pass
    assert caught.value.do == f'pip install "mlestar[{kind}]"'


@pytest.mark.skipif(find_spec("distributed") is None, reason='lacks Dask: pip install "mlestar[dask]"')
@pytest.mark.filterwarnings("default")  # of the cluster's library
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlestar.execution.cluster.CONNECT_S", 0.2)
    silent = pytest.raises(Unavailable, match=r"the dask cluster at 127\.0\.0\.1:9 does not answer")
    with silent as caught, spread("dask://127.0.0.1:9"):
        pass
    assert "MLESTAR_CLUSTER" in caught.value.do


def test_another_kind_of_cluster_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'spark'"), spread("spark://host:7077"):
        pass
    with pytest.raises(ValueError, match=re.escape("dask|ray")):
        Settings(cluster="spark://host:7077")
