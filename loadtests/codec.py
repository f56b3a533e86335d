"""What a frame costs to store and to load: the codec beside two that one would try first, in bytes and milliseconds.

    python -m loadtests.codec

`load` is decode and one look-up of all items, which every warm ranking makes; medians of interleaved rounds, CPU time.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import msgspec
import numpy as np
import orjson

from gateway.adapters import codec
from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.model import Grade, on_grid

ROUNDS = 25
CALLS = 21
KEY = "rerank:1:{0123456789abcdef}:0123456789abcdef"


def frame(items: int) -> Frame:
    """A frame as a cold ranking leaves it: ids of nine characters, normal log scores, two in a hundred unknown."""
    random = np.random.default_rng(1)
    grade = np.where(random.random(items) < 0.02, Grade.UNKNOWN, Grade.RESOLVED).astype(np.uint8)
    log = np.where(grade == Grade.UNKNOWN, -np.inf, on_grid(random.normal(0.0, 2.0, items)))
    return Frame(
        ids=Ids([f"p{number:08}" for number in random.permutation(items).tolist()]),
        log=log,
        grade=grade,
        source=(np.arange(items) % CALLS).astype(np.int32),
        recommendation_ids=tuple(f"RID-{number:036}" for number in range(CALLS)),
        scale_id="0123456789abcdef",
        created_s=1.8e9,
    )


def as_object(one: Frame) -> dict[str, Any]:
    """The same content as plain values: item -> (log score or None, grade, call)."""
    logs = [None if log == -np.inf else log for log in one.log.tolist()]
    rows = zip(one.items, logs, one.grade.tolist(), one.source.tolist(), strict=True)
    return {"ids": one.recommendation_ids, "rows": {item: [log, grade, call] for item, log, grade, call in rows}}


def load_object(content: dict[str, Any], items: list[str]) -> list[Any]:
    """Look all items up."""
    find = content["rows"].get
    return [find(item) for item in items]


Codec = tuple[str, Callable[[Frame], bytes], Callable[[bytes, list[str]], object]]

CODECS: list[Codec] = [
    ("columns (this codec)", lambda one: codec.encode(KEY, one), lambda b, i: codec.decode(KEY, b).rows(i)),
    ("columns, zlib 1", lambda one: codec.encode(KEY, one, compression=1), lambda b, i: codec.decode(KEY, b).rows(i)),
    ("JSON object (orjson)", lambda one: orjson.dumps(as_object(one)), lambda b, i: load_object(orjson.loads(b), i)),
    (
        "MessagePack (msgspec)",
        lambda one: msgspec.msgpack.encode(as_object(one)),
        lambda b, i: load_object(msgspec.msgpack.decode(b), i),
    ),
]


def main() -> None:
    """Print a Markdown table."""
    print("| items | codec | stored, KB | store, ms | load, ms |")
    print("|---:|---|---:|---:|---:|")
    for items in (1_000, 10_000, 100_000):
        one = frame(items)
        wanted = list(one.items)
        spent: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name, _, _ in CODECS}
        sizes: dict[str, int] = {}
        for _ in range(ROUNDS):
            for name, encode, load in CODECS:
                began = time.process_time()
                stored = encode(one)
                between = time.process_time()
                load(stored, wanted)
                spent[name][0].append(between - began)
                spent[name][1].append(time.process_time() - between)
                sizes[name] = len(stored)
        for name, (store, load_s) in spent.items():
            row = f"| {items:,} | {name} | {sizes[name] / 1e3:.0f} "
            print(f"{row}| {1e3 * median(store):.2f} | {1e3 * median(load_s):.2f} |")


if __name__ == "__main__":
    main()
