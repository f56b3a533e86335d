"""`rerank-gateway emulate`: a local Personalize Runtime."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import announce, fail


def emulate(
    host: Annotated[
        str, typer.Option(help="Address to listen on. It has no secrets and serves anybody who reaches it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on (0: any free one).", min=0, max=65535)] = 8081,
    items: Annotated[Path | None, typer.Option(help="Your Items CSV (ITEM_ID and columns), plain or .gz.")] = None,
    interactions: Annotated[
        Path | None,
        typer.Option(help="Your Interactions CSV (USER_ID, ITEM_ID, TIMESTAMP, ...): a model is learnt from it."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with campaigns, models, filters, faults, latency, key pairs and files."),
    ] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Tell how well a model of --interactions finds held-out items, and end.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            help="New file for a recording of all calls, ids hashed; `python -m loadtests.replay` replays it."
        ),
    ] = None,
) -> None:
    """Run a local Personalize Runtime (and PutEvents) that any AWS SDK can point at.

    Without files it serves a built-in store of 10,000 products (p00001 to p10000; any id is a user), with files your
    own Personalize CSVs. All ARNs begin with arn:aws:personalize:us-east-1:000000000000:

    \b
      campaign/demo                   GetPersonalizedRanking
      campaign/demo-recommendations   GetRecommendations for a user
      campaign/demo-related           GetRecommendations like an item
      campaign/demo-actions           GetActionRecommendations
      filter/NAME                     exclude-purchased, category, brand, ...
      (tracking id) demo              PutEvents

    Prints one line with its address when it is ready. Point an SDK at it by AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME and
    AWS_ENDPOINT_URL_PERSONALIZE_EVENTS; any credentials will do, unless the configuration has key pairs.

    \b
      GET  /_emulator/campaigns  what is served, names of filters
      GET  /_emulator/items      items; /_emulator/users: some users
      GET  /_emulator/stats      what it was asked (DELETE: count anew)
      POST /_emulator/oracle     a call of any length, ranked, unrounded
      POST /_emulator/faults     let things go wrong (DELETE: end it), as
                                 {"error_share": 0.1, "latency_ms": 50}
    """
    import msgspec
    import uvloop

    from gateway.emulator import config as of
    from gateway.emulator import server

    try:
        settings = of.load(config) if config else of.EmulatorConfig()
        options = (("items", items), ("interactions", interactions), ("record", record))
        given = {name: path for name, path in options if path is not None}
        settings = msgspec.structs.replace(settings, **given)
        if evaluate:
            _evaluate(settings.interactions)
            return
        uvloop.run(server.serve(settings, host, port, lambda url: announce(f"emulator listening on {url}")))
    except of.ConfigError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot listen on {host}:{port}: {error.strerror}")


def _evaluate(interactions: Path | None) -> None:
    """Learn from all but one item of every user, and print how the held-out ones rank."""
    from gateway.emulator.csv_files import read_interactions
    from gateway.emulator.evaluation import evaluate

    if interactions is None:
        fail("--evaluate needs --interactions")
    found = evaluate(read_interactions(interactions))
    print(found or "no user has two items, so none can be held out")
