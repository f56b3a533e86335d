"""`rerank-gateway config check`: all faults of a configuration at once."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import fail

app = typer.Typer(help="Look at a configuration without serving.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look at a configuration without serving."""


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="TOML file (else GATEWAY_CONFIG, else the environment alone).")
    ] = None,
) -> None:
    """Tell all faults of a configuration at once, each with its place; exit 1 if there are any."""
    from gateway.settings import ConfigError, load

    try:
        settings = load(file)
    except ConfigError as error:
        fail(*error.faults)
    names = ", ".join(settings.campaigns) or "none (any well-formed ARN may be called)"
    print(f"ok: {settings.server.host}:{settings.server.port}, cache {settings.cache.shown_url}, campaigns: {names}")
