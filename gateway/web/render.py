"""A result -> the members of an answer. The hot part is a long list of small structs, made and encoded slice by slice.

Measured for 10,000 items: 2.0 ms; 3.3 ms as dicts and orjson, and the collector looks at no struct. For 100,000 slices
cost little more than half of one long list, which does not fit the processor's cache: 45 ms instead of 78.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from gateway.core.attempt import Attempt
from gateway.core.model import taken
from gateway.service.columns import NOTHING
from gateway.service.outcomes import Asked
from gateway.service.recommend import ListingResult
from gateway.service.result import Played, Result, Round
from gateway.web.milliseconds import milliseconds, tenths
from gateway.web.pieces import Parts, Pieces, in_pieces
from gateway.web.problems import slug_of

SLICE: Final = 2_000
"""Entries that are made and encoded at a stretch, about 0.5 ms; other requests take their turn in between."""

HEAD: Final = 500
"""Places of a ranking among which usually each of 21 calls has one: what is best is spread over all of them. Of more
calls the first 2,000 places are looked at, and so on: of all 100,000 it would take 3.5 ms."""

TOLD_SLICE: Final = 250
"""The same of entries with all that can be told of their places, each of which is a matter of Python."""


class Entry(msgspec.Struct, rename="camel", gc=False):
    """A ranked item; an unranked one has no score."""

    item_id: str
    score: float | UnsetType = UNSET


class DescribedEntry(Entry, rename="camel", gc=False):
    """The same with the metadata that was asked for; an item that has none, has none here."""

    metadata: msgspec.Raw | UnsetType = UNSET


class ToldEntry(DescribedEntry, rename="camel", gc=False):
    """The same with what can be told of its place."""

    source: str | UnsetType = UNSET
    recommendation_id: int | UnsetType | None = UNSET
    position: int | UnsetType = UNSET
    log_score: float | UnsetType | None = UNSET


AnyEntry = TypeVar("AnyEntry", bound=Entry)
AnyDescribed = TypeVar("AnyDescribed", bound=DescribedEntry)


def page(result: Result, offset: int, limit: int, kind: type[AnyEntry]) -> list[AnyEntry]:
    """The items of a page, with their scores, if there are any."""
    places = result.ranking.order[offset : offset + limit]
    scores = result.ranking.scores[offset : offset + len(places)].tolist() if result.has_scores else []
    items = taken(result.candidates, places)
    return [*map(kind, items, scores), *map(kind, items[len(scores) :])]


def described(entries: list[AnyDescribed], metadata: Mapping[str, bytes]) -> list[AnyDescribed]:
    """Add to every entry what is known of its item, which is JSON already."""
    for entry in entries:
        known = metadata.get(entry.item_id, NOTHING)
        if known != NOTHING:
            entry.metadata = msgspec.Raw(known)
    return entries


def sources(result: Result, offset: int, entries: list[ToldEntry]) -> None:
    """Add to every entry of a page where its score came from."""
    places = result.ranking.order[offset : offset + len(entries)].tolist()
    for entry, place in zip(entries, places, strict=True):
        entry.source = result.source_of(place)


def explainer(result: Result, given: list[str]) -> Callable[[int, list[ToldEntry]], None]:
    """What adds to every entry of a page at an offset all that is known of its place; `given` is the caller's list as
    it came."""
    index = {source: number for number, source in enumerate(recommendation_ids(result))}
    position: Sequence[int] = range(len(given))  # where nothing stands twice, candidates stand where they were given
    if len(given) > len(result.candidates):
        first = dict(zip(reversed(given), range(len(given) - 1, -1, -1), strict=True))  # the first place comes last
        position = [first[item] for item in result.candidates]

    def explain(offset: int, entries: list[ToldEntry]) -> None:
        places = result.ranking.order[offset : offset + len(entries)].tolist()
        for entry, place in zip(entries, places, strict=True):
            log = float(result.log[place])
            entry.recommendation_id = index.get(int(result.source[place]))
            entry.position = position[place]
            entry.log_score = log if math.isfinite(log) and result.has_scores else None

    return explain


async def encoded(
    result: Result,
    offset: int,
    limit: int | None,
    make: Callable[[int, int], Sequence[Entry]],
    at_once: int = SLICE,
) -> Parts:
    """The JSON list of a page, in pieces; `make` gives the entries from an offset on, as many as it is told (`at_once`
    at most)."""
    end = len(result.ranking.order) if limit is None else min(len(result.ranking.order), offset + limit)
    if end - offset <= at_once:
        return [msgspec.json.encode(make(offset, max(0, end - offset)))]
    parts: Parts = [b"["]
    for begin in range(offset, end, at_once):
        if begin > offset:
            parts.append(b",")
        parts.append(memoryview(msgspec.json.encode(make(begin, min(at_once, end - begin))))[1:-1])
        await asyncio.sleep(0)
    parts.append(b"]")
    return parts


def with_ranking(entries: Parts, told: dict[str, Any]) -> bytes | Pieces:
    """The JSON of an answer: its ranking, which is not copied where it is long, and its other members."""
    rest = msgspec.json.encode(told)[1:]
    return in_pieces([b'{"personalizedRanking":', *entries, b"," + rest if told else rest])


def recommendation_ids(result: Result) -> dict[int, str]:
    """The ids of the calls that ranked the answer, by their number, in the order in which they first appear in it."""
    ids, order = result.recommendation_ids, result.ranking.order
    if len(ids) == 1 and len(order) and not result.source[order[0]]:  # the only call has ranked the first item
        return {0: ids[0]}
    looked_at = HEAD
    while True:
        calls = dict.fromkeys(result.source[order[:looked_at]].tolist())
        calls.pop(-1, None)  # that of unranked ones
        if len(calls) == len(ids) or looked_at >= len(order):
            return {call: ids[call] for call in calls}
        looked_at *= 4


def usage(result: Result) -> dict[str, int]:
    """What the ranking cost."""
    used = result.usage
    return {
        "candidates": used.candidates,
        "cached": used.cached,
        "unknown": used.unknown,
        "excluded": used.excluded,
        "unranked": used.unranked,
        "upstreamCalls": used.upstream_calls,
        "retries": used.retries,
        "hedges": used.hedges,
        "bridges": used.bridges,
        "drifts": used.drifts,
    }


def timing(result: Result, total_s: float) -> dict[str, float]:
    """Milliseconds by stage."""
    spent = result.timing
    return {
        "totalMs": milliseconds(total_s),
        "cacheMs": milliseconds(spent.cache_s),
        "queueMs": milliseconds(spent.queue_s),
        "upstreamMs": milliseconds(spent.upstream_s),
        "cpuMs": milliseconds(spent.cpu_s),
    }


def plans(rounds: Sequence[Round | Played], asked: Asked, began_s: float) -> list[dict[str, Any]]:
    """The plans of a ranking, and last the calls that were made for its metadata alone, if there were any."""
    told = [plan(made) | {"attempts": attempts(made.log, began_s)} for made in rounds]
    if not asked.calls:
        return told
    failures = [str(failure) for failure in asked.failures]
    alone = {"calls": asked.calls, "failures": failures, "attempts": attempts(asked.log, began_s)}
    return [*told, alone]


def attempts(log: Sequence[Attempt], began_s: float) -> list[dict[str, Any]]:
    """All attempts of a plan, in milliseconds since `began_s`."""
    return [
        {
            "call": one.call.number,
            "round": one.call.purpose,
            "kind": one.kind,
            "arn": one.arn,
            "items": one.call.items,
            "queuedMs": milliseconds(one.waited_s),
            "beganMs": milliseconds(one.began_s - began_s),
            "endedMs": milliseconds(one.ended_s - began_s),
            "outcome": one.outcome,
            "error": None if one.error is None else slug_of(one.error),
        }
        for one in log
    ]


def plan(made: Round | Played) -> dict[str, Any]:
    """One plan and what came of it, for those who distrust the order."""
    failures = [str(failure) for failure in made.fan.failures]
    if isinstance(made, Played):
        calls = len(made.fan.outcomes)
        return {"calls": calls, "sizesByRound": made.sizes, "settled": made.settled, "failures": failures}
    return {
        "calls": len(made.plan.chunks),
        "sizes": [len(chunk) for chunk in made.plan.chunks],
        "anchors": len(made.plan.anchors),
        "anchorsFrom": "frame" if len(made.plan.universe) > made.plan.wanted else "candidates",
        "offsets": made.calibration.offsets.tolist(),
        "errorBounds": [error if math.isfinite(error) else None for error in made.calibration.errors.tolist()],
        "bridges": len(made.bridges),
        "drift": made.calibration.drift if math.isfinite(made.calibration.drift or 0.0) else None,
        "drifted": made.drifted,
        "failures": failures,
    }


def headers(result: Result | ListingResult, total_s: float) -> dict[str, str]:
    """What the wire's body cannot say, and every answer's costs."""
    spent = result.timing
    stages = (
        f"cache;dur={tenths(spent.cache_s)}, upstream;dur={tenths(spent.upstream_s)}, "
        f"cpu;dur={tenths(spent.cpu_s)}, total;dur={tenths(total_s)}"
    )
    told = {"Gateway-Upstream-Calls": str(result.usage.upstream_calls), "Server-Timing": stages}
    if result.variant:
        told["Gateway-Variant"] = result.variant
    if isinstance(result, Result) and result.merge == "ordinal":
        told["Gateway-Merge"] = result.merge
    return told if result.degraded is None else {**told, "Gateway-Degraded": result.degraded.value}
