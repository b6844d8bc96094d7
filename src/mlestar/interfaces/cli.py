"""The `mlestar` command: one function a subcommand, its options and their help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mlestar import __version__
from mlestar.interfaces.terminal.start import finish, open_services

cli = typer.Typer(
    name="mlestar",
    help="Evidence, memory and real pipelines for agents that do machine-learning engineering.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Roots = Annotated[
    list[Path] | None, typer.Option("--root", help="Folder that may be read; repeatable. Default: this folder.")
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where state is kept. Default: the user's data folder.")
]
Workspace = Annotated[str, typer.Option(help="Named store; nothing crosses workspaces.")]


def main() -> None:
    """Run the command; an error of ours is one line on stderr and exit code 2."""
    from mlestar.errors import MlestarError

    try:
        cli()
    except MlestarError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command line's own output
        sys.exit(2)


@cli.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Evidence, memory and real pipelines for agents that do machine-learning engineering."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@cli.command()
def serve(
    *,
    transport: Annotated[Literal["stdio", "http", "sse"], typer.Option(help="http and sse share one port.")] = "stdio",
    host: Annotated[str, typer.Option(help="Address to listen on (http, sse).")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on (http, sse).")] = 8765,
    root: Roots = None,
    token: Annotated[str, typer.Option(envvar="MLESTAR_TOKEN", help="Bearer token; required off loopback.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Serve MCP over stdio (default), streamable HTTP at /mcp, or SSE at /sse."""
    import logging

    import anyio

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    if transport == "stdio":
        from mlestar.interfaces.mcp.server import build_server
        from mlestar.interfaces.mcp.stdio import serve_stdio

        services = open_services(root, data_dir)
        anyio.run(serve_stdio, *build_server(services))
    else:
        from functools import partial

        from mlestar.interfaces.asgi import serve_http

        services = open_services(root, data_dir, default_roots=())
        anyio.run(partial(serve_http, services, host=host, port=port, token=token))
    services.close()


@cli.command()
def worker(data_dir: DataDir = None) -> None:
    """Take runs from the PostgreSQL database that servers share, beside other workers, until stopped.

    Needs MLESTAR_DATABASE_URL and the data folder that the servers use (a shared file system). With SQLite none is
    needed: the first run starts the folder's own.
    """
    from mlestar.supervise import work_beside_others

    work_beside_others(open_services(None, data_dir))


@cli.command()
def demo(
    keep: Annotated[Path | None, typer.Option(help="Keep the demo's files in this folder.")] = None,
) -> None:
    """Show the whole product on real data, through a real MCP client and a real server process."""
    from mlestar.interfaces.demo.story import run_demo

    raise typer.Exit(finish(run_demo(keep)))


@cli.command()
def evaluate(
    *,
    path: Annotated[Path, typer.Argument(help="Project folder.")],
    train: Annotated[str, typer.Option(help="Training data file.")] = "",
    test: Annotated[str, typer.Option(help="Held-out data file.")] = "",
    target: Annotated[str, typer.Option(help="Target column.")] = "",
    predictions: Annotated[str, typer.Option(help="File with y_true and y_pred and/or y_score.")] = "",
    reference: Annotated[str, typer.Option(help="Data at training time, for drift.")] = "",
    current: Annotated[str, typer.Option(help="Data now, for drift.")] = "",
    model: Annotated[str, typer.Option(help="Model file; scanned, never loaded.")] = "",
    groups: Annotated[str, typer.Option(help="Group columns, comma-separated.")] = "",
    time: Annotated[str, typer.Option(help="Timestamp column.")] = "",
    output: Annotated[
        Literal["text", "json", "sarif", "markdown", "html"], typer.Option("--format", help="What to print.")
    ] = "text",
    fail_under: Annotated[float, typer.Option(min=0, max=100, help="Exit with 1 below this overall score.")] = 0,
    execute: Annotated[bool, typer.Option("--execute", help="Also run the project's own code.")] = False,
    workspace: Workspace = "default",
    data_dir: DataDir = None,
) -> None:
    """Judge a project in all five dimensions: usable as a CI gate."""
    from mlestar.interfaces.terminal.evaluate import evaluate_project

    path = path.absolute()  # it is the root that other names are found below
    services = open_services([path], data_dir)
    inputs = {
        name: str(path / value) if value and name not in ("target", "groups", "time") else value
        for name, value in {
            "train": train,
            "test": test,
            "target": target,
            "predictions": predictions,
            "reference": reference,
            "current": current,
            "model": model,
            "groups": groups,
            "time": time,
        }.items()
    }
    passed = finish(
        evaluate_project(
            services, path, inputs, output=output, fail_under=fail_under, execute=execute, workspace=workspace
        )
    )
    services.close()
    raise typer.Exit(0 if passed else 1)


@cli.command()
def explain(check: Annotated[str, typer.Argument(help="A check's id, e.g. T2.1.")]) -> None:
    """Say what a check claims, why, how it decides, its threshold, source, fix and limits."""
    from mlestar.interfaces.terminal import text

    typer.echo(text.explanation(finish(open_services(None, None).scores.explain(check_id=check))))


@cli.command()
def rubric(
    output: Annotated[
        Literal["text", "toml", "json"],
        typer.Option("--format", help="What to print; toml is what a project's pyproject.toml may change."),
    ] = "text",
) -> None:
    """List every dimension, criterion and check with its weight and thresholds."""
    from mlestar.interfaces.terminal import text

    typer.echo(text.RUBRICS[output](finish(open_services(None, None).scores.rubric())))


@cli.command()
def run(
    pipeline: Annotated[Path, typer.Argument(help="YAML or JSON file: {name, config}.")],
    workspace: Workspace = "default",
    root: Roots = None,
    data_dir: DataDir = None,
) -> None:
    """Run a pipeline and show its stages as they go."""
    from mlestar.interfaces.terminal.runs import run_pipeline_file

    services = open_services(root, data_dir)
    succeeded = finish(run_pipeline_file(services, pipeline, workspace=workspace))
    services.close()
    raise typer.Exit(0 if succeeded else 1)


@cli.command()
def rerun(
    run_id: Annotated[str, typer.Argument(help="The run to go on from.")],
    stage: Annotated[
        str, typer.Option("--from", help="First stage that is done again: data, features, training, ...")
    ] = "training",
    workspace: Workspace = "default",
    data_dir: DataDir = None,
) -> None:
    """Run a pipeline again from a stage, with what an earlier run left before it."""
    from mlestar.interfaces.terminal.runs import rerun_from

    services = open_services(None, data_dir)
    succeeded = finish(rerun_from(services, run_id, stage=stage, workspace=workspace))
    services.close()
    raise typer.Exit(0 if succeeded else 1)


@cli.command()
def models(workspace: Workspace = "default", data_dir: DataDir = None) -> None:
    """List the registered models, and which version each environment points to."""
    from mlestar.interfaces.terminal.runs import models_text

    services = open_services(None, data_dir)
    typer.echo(finish(models_text(services, workspace=workspace)))
    services.close()


@cli.command()
def rollback(
    name: Annotated[str, typer.Argument(help="The model's name.")],
    environment: Annotated[Literal["staging", "production"], typer.Option(help="Whose pointer moves.")] = "production",
    version: Annotated[int, typer.Option(min=0, help="Where to; 0 = the version before the present one.")] = 0,
    workspace: Workspace = "default",
    data_dir: DataDir = None,
) -> None:
    """Point an environment back to an earlier version of a model; nothing is deleted."""
    from mlestar.interfaces.terminal.runs import models_text

    services = open_services(None, data_dir)
    finish(services.registry.roll_back(workspace=workspace, name=name, environment=environment, version=version))
    typer.echo(finish(models_text(services, workspace=workspace)))
    services.close()


@cli.command()
def artifact(
    run_id: Annotated[str, typer.Argument(help="run-...")],
    name: Annotated[str, typer.Argument(help="model.skops, card.md, reference_profile.json, or a plot: metrics.svg")],
    output: Annotated[Path, typer.Argument(help="The file to write.", dir_okay=False)],
    workspace: Workspace = "default",
    data_dir: DataDir = None,
) -> None:
    """Write what a run made to a file, wherever it was made."""
    services = open_services(None, data_dir)
    data = finish(services.registry.artifact(workspace=workspace, run_id=run_id, name=name))
    services.close()
    try:
        output.write_bytes(data)
    except OSError as error:
        from mlestar.errors import InvalidInput

        raise InvalidInput(
            f"{output} cannot be written: {error.strerror}", do="name a file in a folder of yours"
        ) from None
    typer.echo(f"{output}: {len(data)} bytes")


@cli.command()
def windows(
    window: Annotated[int, typer.Argument(min=0, max=7, help="1 to 7; 0 = overview.")] = 0,
    workspace: Workspace = "default",
    data_dir: DataDir = None,
) -> None:
    """Show the context windows."""
    from mlestar.interfaces.terminal import text

    services = open_services(None, data_dir)
    if window:
        typer.echo(finish(services.windows.window_text(workspace=workspace, window=window)))
    else:
        typer.echo(text.windows(finish(services.windows.read(workspace=workspace, window=0))))
    services.close()
