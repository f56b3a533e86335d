"""The proxy as a process: prints its address, proxies until SIGTERM, SIGINT or the end of `--seconds`, tells its stats.

`--schedule random` draws one from the seed.
"""

import argparse

import orjson
import uvloop

from tests.support.chaos_proxy.proxy import proxying
from tests.support.chaos_proxy.schedule import drawn, parsed
from tests.support.ending import Ending


async def serve(options: argparse.Namespace) -> None:
    """Proxy until told to end."""
    ending = Ending()
    steps = drawn(options.seed, options.seconds) if options.schedule == "random" else parsed(options.schedule)
    host, _, port = options.target.rpartition(":")
    async with proxying((host, int(port)), steps, seed=options.seed, port=options.listen) as proxy:
        print(f"chaos proxy on {proxy.url}", flush=True)
        await ending.wait(options.seconds)
        print(orjson.dumps(proxy.stats.told()).decode(), flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.chaos_proxy", description=__doc__)
    parser.add_argument("--listen", type=int, default=0, metavar="PORT")
    parser.add_argument("--target", required=True, metavar="HOST:PORT")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--schedule", default="", help="steps between semicolons, or: random")
    parser.add_argument("--seconds", type=float, default=60.0, help="ends by itself after so long")
    uvloop.run(serve(parser.parse_args()))


main()
