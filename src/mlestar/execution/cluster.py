"""A cluster that joblib spreads the fits of a run over, where the settings name one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from mlestar.errors import Conflict, InvalidInput, MissingDependency, Unavailable
from mlestar.execution.stage_store import code_version
from mlestar.stages.fits import spread_by

CONNECT_S = 15
"""So long a run waits for a scheduler to answer."""
DASK, RAY = "dask", "ray"
LIBRARIES = {DASK: "distributed", RAY: "ray"}


@contextmanager
def spread(address: str) -> Generator[None]:
    """Have `stages.fits` spread over the cluster of an address while the block runs; an empty one changes nothing.

    Args:
        address: dask://host:port of a scheduler; ray://host:port of a head node, ray://auto of the one on this machine.

    Raises:
        MissingDependency: The cluster's library is not installed here.
        Unavailable: Nothing answers there.
        Conflict: A worker there has another version of this package or of a library that it computes with.
    """
    kind, _, place = address.partition("://")
    if not address:
        yield
        return
    if kind not in LIBRARIES:
        raise InvalidInput(f"MLESTAR_CLUSTER: there is no kind of cluster {kind!r}", valid=tuple(LIBRARIES))
    if find_spec(LIBRARIES[kind]) is None:
        raise MissingDependency(
            f"MLESTAR_CLUSTER names a {kind} cluster, which needs the library {LIBRARIES[kind]!r}",
            do=f'pip install "mlestar[{kind}]"',
        )
    with (_on_dask if kind == DASK else _on_ray)(place):
        yield


def version_there() -> str:
    """What a worker computes with."""
    return code_version()


@contextmanager
def _on_dask(place: str) -> Generator[None]:
    distributed = importlib.import_module("distributed")
    try:
        client = distributed.Client(f"tcp://{place}", timeout=CONNECT_S, set_as_default=False)
    except Exception as error:
        raise _away(DASK, place, error) from error
    with client:
        _agree(_asked(DASK, place, lambda: client.run(version_there)))
        with spread_by({"backend": DASK, "client": client, "n_jobs": -1}):
            yield


@contextmanager
def _on_ray(place: str) -> Generator[None]:
    ray: Any = importlib.import_module("ray")
    try:
        ray.init(address=place if place == "auto" else f"ray://{place}", logging_level="warning", log_to_driver=False)
    except Exception as error:
        raise _away(RAY, place, error) from error
    try:
        _agree(_asked(RAY, place, lambda: {"a worker": ray.get(ray.remote(version_there).remote())}))
        importlib.import_module("ray.util.joblib").register_ray()
        with spread_by({"backend": RAY, "n_jobs": -1}):
            yield
    finally:
        ray.shutdown()


def _asked(kind: str, place: str, ask: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Worker -> its version; this package must be there."""
    try:
        versions = ask()
    except ImportError as error:
        raise Conflict(
            f"the workers of the {kind} cluster at {place} cannot import this package: {error}",
            do="install the same mlestar there",
        ) from error
    except Exception as error:
        raise _away(kind, place, error) from error
    if not versions:
        raise Unavailable(f"the {kind} cluster at {place} has no worker", do="start one, or unset MLESTAR_CLUSTER")
    return versions


def _agree(versions: dict[str, str]) -> None:
    other = sorted(worker for worker, version in versions.items() if version != code_version())
    if other:
        raise Conflict(
            f"{other[0]} has another version of mlestar or of a library that it computes with: "
            "the same config would not give the same model",
            do="install the same packages on every worker of the cluster",
        )


def _away(kind: str, place: str, error: Exception) -> Unavailable:
    return Unavailable(
        f"the {kind} cluster at {place} does not answer: {type(error).__name__}: {error}",
        do="start it, or unset MLESTAR_CLUSTER: the fits then run in the run's own process",
    )
