"""`rerank-gateway serve`: the gateway."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.console import announce, fail


def serve(
    config: Annotated[Path | None, typer.Option(help="TOML file with the settings (else GATEWAY_CONFIG).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (default 8080; 0: any free one).")] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C.

    Prints one line with its address when it is ready; logs go to standard error. Credentials, region and endpoint of
    AWS come from the SDK's own variables and files (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME,
    ...).
    """
    import uvloop

    from gateway.adapters.spared import spared

    with spared():
        from gateway import serving
        from gateway import settings as of
        from gateway.adapters import logs
        from gateway.settings_files import unreadable_files
        from gateway.wiring import CannotStart

    given: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        settings = of.load(config, options={"server": given} if given else {})
    except of.ConfigError as error:
        fail(*error.faults)
    if unreadable := unreadable_files(settings):
        fail(*unreadable)
    logs.configure(settings.log.level, settings.log.format)
    try:
        uvloop.run(serving.serve(settings, announce))
    except CannotStart as error:
        fail(str(error))
