"""`rerank-gateway emulate`: a local Personalize Runtime."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import fail


def emulate(
    port: Annotated[int, typer.Option(help="Port to listen on (0: any free one).")] = 8081,
    items: Annotated[Path | None, typer.Option(help="Your Items CSV (ITEM_ID and columns), plain or .gz.")] = None,
    interactions: Annotated[
        Path | None,
        typer.Option(help="Your Interactions CSV (USER_ID, ITEM_ID, TIMESTAMP, ...): a model is learnt from it."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with latency, key pairs and files.")] = None,
) -> None:
    """Run a local Personalize Runtime that any AWS SDK can point at.

    Without files it serves a built-in store of 10,000 products, as campaign
    arn:aws:personalize:us-east-1:000000000000:campaign/demo. Prints one line with its address when it is ready.
    What it was asked is at /_emulator/stats, the ideal ranking at /_emulator/oracle.
    """
    import msgspec
    import uvloop

    from gateway.emulator import config as of
    from gateway.emulator import server

    try:
        settings = of.load(config) if config else of.EmulatorConfig()
        given = {name: path for name, path in (("items", items), ("interactions", interactions)) if path is not None}
        settings = msgspec.structs.replace(settings, **given)
        announce = lambda url: print(f"emulator listening on {url}", flush=True)  # noqa: E731
        uvloop.run(server.serve(settings, "127.0.0.1", port, announce))
    except of.ConfigError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot listen on 127.0.0.1:{port}: {error.strerror}")
