"""Candidates -> chunks with anchors, so that every call can be put on one scale, at the fewest calls.

A call is billed whole, a slot in it is free: the number of calls comes first, then the free slots are spent on anchors.
Anchors are spread over the strengths, never the strongest items: a strong anchor in every call presses everything else
there below the 7th decimal. Without a frame the caller's order stands for the strengths (upstream lists are usually
sorted by relevance); with one, its log scores do. The other candidates are striped over the calls, so that a lost call
costs a thin slice of everything and not the best 500.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np

from gateway.core.frame import Frame
from gateway.core.model import Floats, Grade, Ints, taken
from gateway.core.values import dataclass

CALL_LIMIT: Final = 500
"""Items of one GetPersonalizedRanking call (AWS: Personalize quotas); 50 when metadata is asked for."""

METADATA_LIMIT: Final = 50
"""Items of a call that asks for metadata."""

TOGETHER_MAX: Final = 1_000
"""Items that are ranked and described by the same calls at most: 22 calls instead of 23 then, and the saving shrinks,
while the anchors of ever more small calls get weaker."""

ANCHORS_MIN: Final = 3
"""Anchors that a cold plan reserves: enough that one unknown among them does not cost a bridge."""

FRAME_ANCHORS_MIN: Final = 8
"""Anchors that a plan with a frame reserves: they also tell whether the user or the model has moved."""

FEWER_ANCHORS: Final = (3, 1)
"""What a plan with a frame makes do with where that saves a call; if they are too weak, the bridge costs no more."""

ANCHORS_MAX: Final = 32
"""More anchors than this no longer lower the error that matters, but make every call heavier."""

SPREAD: Final = (0.01, 0.60)
"""Where anchors are taken from, as shares of the list from its strong end; the weak end would round away."""

SHAPES_MAX: Final = 8
"""Cold plans whose chunks are kept, by their length: 8 bytes a candidate, 0.9 MB of the longest list, 7 in all."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The calls of one ranking.

    `universe` lists all items that any call may ask for, each once: first the `wanted` ones, then others that come from
    the frame. `chunks[c]` are places in the universe, the anchors first (the same ones in every chunk), rising.
    `known_log` holds the log scores of the items that were taken from the frame (NaN for all others), or is None for a
    cold plan; `known_sharp` tells which of them are fit to check for drift. `reference` are the frame's strongest
    items, for a bridge.
    """

    universe: list[str]
    wanted: int
    limit: int
    anchors: Ints
    chunks: list[Ints]
    reference: Ints
    known_log: Floats | None = None
    known_sharp: Ints | None = None

    @property
    def known(self) -> Ints:
        """The places of the items that were taken from the frame."""
        return np.empty(0, dtype=np.intp) if self.known_log is None else np.flatnonzero(~np.isnan(self.known_log))

    def items(self, chunk: Ints) -> list[str]:
        """The ids of these places."""
        return taken(self.universe, chunk)

    def lists(self) -> list[list[str]]:
        """The ids to send, for every chunk: dealt as the places were, by slices of lists, which takes 0.03 ms for
        10,000 where looking up every place takes 0.25. One call without anchors asks for the very list."""
        if len(self.chunks) == 1 and self.wanted == len(self.universe) and not len(self.anchors):
            return [self.universe]
        shared, own, begin = taken(self.universe, self.anchors), list[str](), 0
        for anchor in self.anchors.tolist():
            own += self.universe[begin : min(anchor, self.wanted)]
            begin = anchor + 1
        own += self.universe[begin : self.wanted]
        calls = len(self.chunks)
        return [shared + own[call::calls] for call in range(calls)]


def together_is_cheaper(apart: Plan, together: Plan, lacking: int) -> bool:
    """Whether calls of 50 that rank and describe at once (`together`) are fewer than calls of 500 that rank (`apart`)
    and calls of 50 that describe; `lacking` are the items to be described whose metadata is not known yet."""
    if not lacking:
        return False
    rest = max(0, lacking - together.wanted)
    return len(together.chunks) + calls_needed(rest, METADATA_LIMIT, 0) < len(apart.chunks) + calls_needed(
        lacking, METADATA_LIMIT, 0
    )


def calls_needed(count: int, limit: int, anchors: int) -> int:
    """Calls for `count` items that are not anchors, when each call also carries `anchors` of them."""
    return math.ceil(count / (limit - anchors))


def cold_calls(count: int, limit: int = CALL_LIMIT) -> int:
    """Calls that a ranking of so many candidates takes when nothing is known of them, and nothing goes wrong."""
    if count <= limit:
        return min(count, 1)
    reserved = min(ANCHORS_MIN, limit - 1)
    return calls_needed(count - reserved, limit, reserved)


def plan_ranking(
    wanted: list[str], frame: Frame | None = None, limit: int = CALL_LIMIT, near: Ints | None = None
) -> Plan:
    """Plan the calls for `wanted` (distinct, non-empty) items; `frame` gives the anchors if it has scored items.

    Anchors come from `near`, the frame's rows of the list that is to be ranked, if enough of those are scored: they are
    of the strength of what they are to be compared with. A `limit` of at least 2 is needed to join calls at all.
    """
    strong = np.empty(0, dtype=np.intp) if frame is None else frame.by_strength()
    if frame is None or not len(strong):
        return _plan_cold(wanted, limit)
    if near is not None and len(here := frame.by_strength(near)) >= FRAME_ANCHORS_MIN:
        strong = here
    return _plan_with_frame(wanted, frame, strong, limit)


def _plan_cold(wanted: list[str], limit: int) -> Plan:
    count = len(wanted)
    none = np.empty(0, dtype=np.intp)
    if count <= limit:
        return Plan(wanted, count, limit, none, [np.arange(count)], none)
    anchors, chunks = _cold_shape(count, limit)
    return Plan(wanted, count, limit, anchors, list(chunks), none)


@lru_cache(maxsize=SHAPES_MAX)
def _cold_shape(count: int, limit: int) -> tuple[Ints, tuple[Ints, ...]]:
    """Anchors and chunks of a cold plan, which are the same for every list of this length; not to be written to.

    Kept, as most callers rank lists of one length, or of a few: to make them takes 0.08 ms for 10,000 by itself, and
    more amid a request, where no code that runs once is in the processor's cache.
    """
    calls = cold_calls(count, limit)
    # The anchors stand once among the candidates and `calls` times in the slots.
    anchors = spread(count, min(ANCHORS_MAX, (calls * limit - count) // (calls - 1)))
    rest = np.delete(np.arange(count), anchors)
    chunks = stripe(rest, anchors, calls)
    for places in (anchors, *chunks):
        places.flags.writeable = False
    return anchors, tuple(chunks)


def _plan_with_frame(wanted: list[str], frame: Frame, strong: Ints, limit: int) -> Plan:
    count = len(wanted)
    reserved = _reserved(count, min(FRAME_ANCHORS_MIN, len(strong), limit - 1), limit)
    calls = calls_needed(count, limit, reserved)
    free = limit - math.ceil(count / calls)
    picked = strong[spread(len(strong), min(ANCHORS_MAX, len(strong), free))]
    best = np.setdiff1d(strong[: limit // (calls + 1)], picked)
    rows = np.concatenate((picked, best))
    universe, places = _universe(wanted, taken(frame.items, rows))
    anchors = np.sort(places[: len(picked)])
    rest = np.delete(np.arange(count), anchors[anchors < count])
    known_log = np.full(len(universe), np.nan)
    known_log[places] = frame.log[rows]
    return Plan(
        universe=universe,
        wanted=count,
        limit=limit,
        anchors=anchors,
        chunks=stripe(rest, anchors, max(1, calls_needed(len(rest), limit, len(anchors)))),
        # A bridge wants the frame's strongest items; the anchors among them count as well.
        reference=places[np.argsort(-frame.log[rows], kind="stable")][: max(1, limit // (calls + 1))],
        known_log=known_log,
        known_sharp=places[frame.grade[rows] == Grade.SHARP],
    )


def _universe(wanted: list[str], known: list[str]) -> tuple[list[str], Ints]:
    """The wanted items and behind them the known ones that are not among them, and where the known ones stand there.

    What is asked once more to be resolved better is wanted and known. It must not stand twice in a call.
    """
    of_frame = set(known)
    place = {item: place for place, item in enumerate(wanted) if item in of_frame}
    others = [item for item in known if item not in place]
    place.update(zip(others, range(len(wanted), len(wanted) + len(others)), strict=True))
    return wanted + others, np.array([place[item] for item in known], dtype=np.intp)


def _reserved(count: int, anchors: int, limit: int) -> int:
    """Anchors to reserve: `anchors`, or fewer where that saves a whole call (499 missing items take one call)."""
    choices = (anchors, *(fewer for fewer in FEWER_ANCHORS if fewer < anchors))
    return min(choices, key=lambda fewer: (calls_needed(count, limit, fewer), -fewer))


def spread(count: int, anchors: int) -> Ints:
    """`anchors` distinct places out of `count`, evenly over `SPREAD` (over everything where that is too narrow)."""
    low, high = (share * (count - 1) for share in SPREAD)
    if high - low + 1 < anchors:
        low, high = 0.0, float(count - 1)
    return np.unique(np.rint(np.linspace(low, high, anchors)).astype(np.intp))


def stripe(places: Ints, anchors: Ints, calls: int) -> list[Ints]:
    """Deal `places` round-robin over the calls (sizes equal within one), each behind the anchors."""
    return [np.concatenate((anchors, places[call::calls])) for call in range(calls)]
