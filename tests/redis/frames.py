"""Frames to keep, keys to keep them under, and how the two are compared."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.model import Grade, on_grid


class Key(NamedTuple):
    """Where a user's epoch and one of their frames lie."""

    user: str
    frame: str


def key_of(number: int | str) -> Key:
    """A user's keys, in the form of the real ones."""
    user = f"rerank:1:{{{number:0>32}}}"
    return Key(user, f"{user}:{7:032x}")


def frame_of(count: int, epoch: int = 0, prefix: str = "item") -> Frame:
    """A frame as a ranking of that many candidates leaves it."""
    rng = np.random.default_rng(count)
    calls = max(1, count // 450)
    return Frame(
        ids=Ids([f"{prefix}-{number:08d}" for number in range(count)]),
        log=on_grid(-rng.exponential(5.0, count)),
        grade=rng.integers(Grade.SHARP, Grade.FAINT + 1, count).astype(np.uint8),
        source=rng.integers(0, calls, count).astype(np.int32),
        recommendation_ids=tuple(f"RID-{call:032d}" for call in range(calls)),
        scale_id="0123456789abcdef",
        created_s=1_800_000_000.125,
        epoch=epoch,
    )


IDS = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=12) | st.sampled_from(
    ["\ud800", "\udfff\ud800", "\N{GRINNING FACE}", "e\u0301", "\u00e9", "\u202e", "a,b", "a|b", "\x01", "\r\n"]
)
SCORED = st.floats(-40.0, 0.0, width=32) | st.sampled_from([-0.0, -1e-9, -16.118095, -1.0, -1.0000001])
STANDINGS = st.tuples(SCORED, st.integers(0, Grade.UNRANKED)) | st.tuples(
    st.just(-np.inf), st.integers(Grade.TRAILING, Grade.UNRANKED)
)
"""Log scores and grades; without a log score nothing has a place by it."""


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Any frame that a service can make: distinct ids of any text, ties, items without a score, several calls."""
    items = draw(st.lists(IDS, unique=True, max_size=30))
    calls = draw(st.lists(IDS, min_size=1, max_size=5))
    count = len(items)
    rows = draw(
        st.lists(
            st.tuples(STANDINGS, st.integers(0, len(calls) - 1)),
            min_size=count,
            max_size=count,
        )
    )
    return Frame(
        ids=Ids(items),
        log=on_grid(np.array([log for (log, _), _ in rows], dtype=np.float64)),
        grade=np.array([grade for (_, grade), _ in rows], dtype=np.uint8),
        source=np.array([source for _, source in rows], dtype=np.int32),
        recommendation_ids=tuple(calls),
        scale_id=draw(st.text("0123456789abcdef", max_size=16)),
        created_s=draw(st.integers(0, 2**45)) / 1e3,
        epoch=draw(st.integers(0, 2**63 - 1)),
    )


def same(one: Frame, other: Frame) -> bool:
    """Whether two frames say the same of the same items."""
    columns = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("log", "grade", "source"))
    return columns and one.items == other.items and one.epoch == other.epoch


async def until(condition: Callable[[], Awaitable[Any]], within_s: float, what: str) -> float:
    """Poll until it holds; seconds that it took."""
    began_s = time.monotonic()
    while not await condition():
        assert time.monotonic() - began_s < within_s, f"{what} did not come within {within_s} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - began_s
