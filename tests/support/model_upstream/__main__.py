"""The endpoint as a process: prints its address, serves until SIGTERM, SIGINT, or `--seconds` have passed."""

import argparse
from typing import get_args

import uvloop

from tests.support.ending import Ending
from tests.support.model_upstream.server import Canned, listening


async def serve(options: argparse.Namespace) -> None:
    """Serve until told to end."""
    ending = Ending()
    async with listening(options.answers, host=options.host, port=options.port) as upstream:
        print(f"model upstream on {upstream.url}", flush=True)
        await ending.wait(options.seconds)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.model_upstream", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--answers", choices=get_args(Canned), default="model")
    parser.add_argument("--seconds", type=float, default=3600.0, help="ends by itself after so long")
    uvloop.run(serve(parser.parse_args()))


main()
