"""A soak: the storefront at 70 % of its peak for ten minutes, right all the time, and flat.

    python -m loadtests.soak [--hold-s 600] [--every-s 10] [--share 0.7] [--history FILE] [--short] [--json]

The processes, the load and its checks are those of `storefront`. While the load is held the gateway is looked at every
ten seconds: memory, descriptors, threads, tasks. They are flat if the last quarter holds no more than the second, but
for what comes and goes (`vitals`). Exit code 1 if any answer was wrong or anything grew. The history is one JSON file.
`--short` is a minute, to see that all this works: then growth is told and not judged, as it is all warm-up.
Locust runs in the very same environment (`make .venv-bench/done`).
"""

import argparse
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import orjson

from loadtests import vitals
from loadtests.storefront import Shop, held, in_words, opened, options_for, peak, told
from loadtests.vitals import Vitals, growths

SHORT: Final = {"ramp_s": 15, "hold_s": 60, "every_s": 2.5}
"""To see that the soak itself works: a minute is no soak."""


@contextmanager
def watched(shop: Shop, every_s: float) -> Iterator[list[Vitals]]:
    """Look every so often, from a thread of its own, until the end."""
    samples: list[Vitals] = []
    ended = threading.Event()
    began_s = time.monotonic()

    def look() -> None:
        while not ended.wait(every_s):
            with suppress(OSError):  # a gateway that has no time to tell its numbers is looked at the next time
                samples.append(Vitals.of(shop.pid, shop.gateway, time.monotonic() - began_s))

    thread = threading.Thread(target=look, name="vitals", daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The ramp, then the soak."""
    with opened() as shop:
        peak_per_s, ramp = peak(shop, options)
        with watched(shop, options.every_s) as samples:
            hold = held(shop, options.share * peak_per_s, options)
    return {
        **told(peak_per_s, ramp, hold, options),
        "samples": [one.told() for one in samples],
        "grown": growths(samples),
    }


def options_in(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What a command line says, that of this process if none is given: the storefront's options, and the soak's own."""
    parser = options_for(__doc__, hold_s=600, share=0.7)
    parser.add_argument("--every-s", type=float, default=10.0)
    parser.add_argument("--short", action="store_true", help="a minute; growth is not judged")
    parser.add_argument("--history", type=Path, help="write all that was found there, as JSON")
    options = parser.parse_args(arguments)
    if options.short:
        vars(options).update(SHORT)
    return options


def main() -> None:
    """Run, write the history down, judge it."""
    options = options_in()
    found = run(options)
    if options.history is not None:
        options.history.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    if options.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        print(in_words(found))
        for one in found["samples"]:
            print(f"  {vitals.in_words(one)}")
        print(f"not flat: {found['grown'] or 'none'}")
    sys.exit(1 if found["violations"] or (found["grown"] and not options.short) else 0)


if __name__ == "__main__":
    main()
