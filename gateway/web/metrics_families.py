"""The table of all metrics: what each is called, what it means, by what it is told apart, and where its number stands.

`deploy/METRICS.md` is made of it, the collector reads by it, and the dashboard and the alerts are held against it. Two
rules: a name ends in its unit (`_seconds`, `_bytes`, `_total`, or what it counts), and a label has few values that
somebody configured or the code lists: never a user, an item, or a key.
"""

import importlib.metadata
import platform
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from gateway.core.breaker import State
from gateway.service.gate_numbers import OUTCOMES
from gateway.web.metrics_reading import NOBODY, Samples, Seen, each, members, one

Kind = Literal["counter", "gauge", "histogram"]


class Family(NamedTuple):
    """One metric. `where` is the object that has the number, for those who read the code."""

    kind: Kind
    name: str
    help: str
    labels: tuple[str, ...]
    where: str
    read: Callable[[Seen], Samples]


def _of(health: str, member: str) -> Callable[[Seen], Samples]:
    """A member of a health report; one that the report does not have has no sample."""
    return lambda seen: one(_plain(getattr(seen, health).get(member)))


def _plain(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _store(*members_: str) -> Callable[[Seen], Samples]:
    """Members of the store's health, labelled by their name."""
    return lambda seen: (((name,), seen.store[name]) for name in members_ if name in seen.store)


def _words(values: Mapping[str, Any], words: Mapping[str, str]) -> Samples:
    for name, word in words.items():
        if name in values:
            yield (word,), values[name]


def _rankings(member: str) -> Callable[[Seen], Samples]:
    return lambda seen: (((name,), getattr(of, member)) for name, of in seen.service.traffic.rankings.items())


def _degraded(seen: Seen) -> Samples:
    for name, of in seen.service.traffic.rankings.items():
        for reason, count in {"": 0, **of.degraded}.items():
            yield (name, reason), count


def _tenants(bill: Mapping[str, int]) -> Samples:
    return each({tenant or NOBODY: calls for tenant, calls in {"": 0, **bill}.items()})


def _lane(member: str) -> Callable[[Seen], Samples]:
    return lambda seen: ((labels, getattr(lane, member)) for labels, lane in seen.lanes.items())


def _gate(member: str) -> Callable[[Seen], Samples]:
    return lambda seen: ((labels, getattr(gate, member)) for labels, gate in seen.gates.items())


def _stat(member: str) -> Callable[[Seen], Samples]:
    return lambda seen: ((labels, getattr(gate.stats, member)) for labels, gate in seen.gates.items())


def _stats(**words: str) -> Callable[[Seen], Samples]:
    """Members of the gates' stats, labelled by a word for each."""
    return lambda seen: (
        ((*labels, word), getattr(gate.stats, member))
        for labels, gate in seen.gates.items()
        for member, word in words.items()
    )


def _outcomes(seen: Seen) -> Samples:
    for labels, lane in seen.lanes.items():
        for outcome in OUTCOMES:
            yield (*labels, outcome), lane.outcomes[outcome]


def _states(seen: Seen) -> Samples:
    for labels, lane in seen.lanes.items():
        for state in State:
            yield (*labels, state.value), lane.states[state]


def _sides(seen: Seen) -> Samples:
    """Whether a side of the store is asked; a store in memory always is."""
    for side in ("reads", "writes"):
        yield (side,), float(seen.store.get(side, State.CLOSED) == State.CLOSED)
    if "scripts" in seen.store:
        yield ("scripts",), float(seen.store["scripts"] == State.CLOSED)


BUILD: Final = (importlib.metadata.version("rerank-gateway"), platform.python_version())


def _build(_: Seen) -> Samples:
    yield BUILD, 1.0


def _inflight(member: str) -> Callable[[Seen], Samples]:
    return lambda seen: one(getattr(seen.service.traffic.inflight, member, None))


GATE: Final = ("campaign", "variant")
LANE: Final = ("campaign", "variant", "arn")

REQUESTS: Final = (
    Family("counter", "rerank_requests_total", "Requests answered, by why the answer was not whole (empty: it was)",
           ("route", "status", "degraded"), "traffic.requests", lambda s: each(s.service.traffic.requests)),
    Family("histogram", "rerank_request_duration_seconds", "From the arrival of a request's head to its answer",
           ("route",), "traffic.durations", lambda s: each(s.service.traffic.durations)),
    Family("counter", "rerank_errors_total", "Errors told, by the slug of their problem",
           ("error",), "traffic.errors", lambda s: each(s.service.traffic.errors)),
    Family("gauge", "rerank_inflight_requests", "Rankings under way", (), "traffic.inflight", _inflight("under_way")),
    Family("gauge", "rerank_inflight_limit", "Rankings that may be under way: as many as the core can do in time", (),
           "traffic.inflight", _inflight("limit")),
    Family("gauge", "rerank_ranking_cpu_seconds", "CPU time that a ranking has cost of late", (), "traffic.inflight",
           _inflight("cost_s")),
    Family("counter", "rerank_overload_refusals_total", "Requests refused because the core has no room for them", (),
           "traffic.inflight", _inflight("refused")),
)  # fmt: skip

RANKINGS: Final = (
    Family("counter", "rerank_rankings_total", "Rankings answered, by why they were not whole (empty: they were)",
           ("campaign", "degraded"), "traffic.rankings[].degraded", _degraded),
    Family("histogram", "rerank_stage_seconds", "Time of a ranking by stage, where the stage took place",
           ("stage",), "traffic.stages", lambda s: each(s.service.traffic.stages)),
    Family("histogram", "rerank_ranking_candidates", "Distinct candidates of a ranking", (), "traffic.sizes",
           lambda s: one(s.service.traffic.sizes)),
    Family("counter", "rerank_candidates_total", "Candidates that were to be ranked",
           ("campaign",), "traffic.rankings[].candidates", _rankings("candidates")),
    Family("counter", "rerank_candidates_cached_total", "Candidates that a frame knew",
           ("campaign",), "traffic.rankings[].cached", _rankings("cached")),
    Family("counter", "rerank_candidates_unknown_total", "Candidates that the model does not know",
           ("campaign",), "traffic.rankings[].unknown", _rankings("unknown")),
    Family("counter", "rerank_candidates_excluded_total", "Candidates that the filter excluded",
           ("campaign",), "traffic.rankings[].excluded", _rankings("excluded")),
    Family("counter", "rerank_candidates_unranked_total", "Candidates that could not be ranked in time",
           ("campaign",), "traffic.rankings[].unranked", _rankings("unranked")),
    Family("counter", "rerank_bridges_total", "Extra calls because the anchors were too weak",
           ("campaign",), "traffic.rankings[].bridges", _rankings("bridges")),
    Family("counter", "rerank_drifts_total", "Frames found wrong by a new call, and learnt anew",
           ("campaign",), "traffic.rankings[].drifts", _rankings("drifts")),
)  # fmt: skip

COST: Final = (
    Family("counter", "rerank_billed_calls_total", "Attempts sent upstream; each is billed", ("tenant",),
           "reranker.bill.billed", lambda s: _tenants(s.service.reranker.bill.billed)),
    Family("counter", "rerank_saved_calls_total",
           "Calls that cold rankings of the same candidates would have taken beyond those made", ("tenant",),
           "reranker.bill.saved", lambda s: _tenants(s.service.reranker.bill.saved)),
)  # fmt: skip

UPSTREAM: Final = (
    Family("counter", "rerank_upstream_attempts_total", "Attempts sent upstream that have ended, by how",
           (*LANE, "outcome"), "gate.lanes[]", _outcomes),
    Family("histogram", "rerank_upstream_attempt_seconds", "Time of attempts that were answered",
           LANE, "gate.lanes[].took_s", _lane("took_s")),
    Family("counter", "rerank_upstream_calls_total", "Calls made: first attempts, without retries and hedges",
           GATE, "gate.stats.calls", _stat("calls")),
    Family("counter", "rerank_retries_total", "Second attempts after a failure", GATE, "gate.stats", _stat("retries")),
    Family("counter", "rerank_hedges_total", "Attempts beside one that was late, by whether they answered first",
           (*GATE, "outcome"), "gate.stats", _stats(hedges_won="won", hedges_lost="lost")),
    Family("counter", "rerank_extra_attempts_refused_total", "Retries and hedges that the budget had nothing left for",
           GATE, "gate.stats", _stat("unaffordable")),
    Family("gauge", "rerank_extra_attempts_left", "Retries and hedges that may be made now",
           GATE, "gate.extras", _gate("extras_left")),
    Family("counter", "rerank_calls_refused_total", "Calls not made: too many wait (busy), or the breaker is open "
           "(resting)", (*GATE, "reason"), "gate.stats", _stats(busy="busy", resting="resting")),
    Family("gauge", "rerank_queue_calls", "Calls that wait for a permit", GATE, "gate.waiting", _gate("waiting")),
    Family("gauge", "rerank_concurrency_calls", "Calls under way", LANE, "lane.in_flight", _lane("in_flight")),
    Family("gauge", "rerank_concurrency_limit", "Calls that may be under way now", LANE, "lane.limit", _lane("limit")),
    Family("gauge", "rerank_breaker_state", "ARNs whose breaker stands so (1 or 0 for a configured one)",
           (*LANE, "state"), "lane.breaker.state", _states),
    Family("counter", "rerank_breaker_opened_total", "Times that a breaker opened",
           LANE, "lane.breaker.opened", _lane("opened")),
    Family("counter", "rerank_replicas_overtaken_total", "Late calls of an ARN that another ARN was ahead of",
           LANE, "lane.overtaken", _lane("overtaken")),
)  # fmt: skip

CACHE: Final = (
    Family("gauge", "rerank_cache_up", "Whether a side of the cache is asked (1) or left alone (0)",
           ("side",), "store_health", _sides),
    Family("counter", "rerank_frame_lookups_total", "Look-ups of frames by what they were worth",
           ("worth",), "frames.stats", lambda s: members(s.service.reranker.frames.stats,
           "hits", "partial_hits", "misses", "stale")),
    Family("counter", "rerank_frames_total", "What became of frames: stored, refreshed in the background, joined by "
           "another caller while they were filled", ("event",), "frames.stats",
           lambda s: members(s.service.reranker.frames.stats, "stored", "refreshes", "joined")),
    Family("counter", "rerank_epochs_total", "Events that killed a user's frames, by whether the cache could be told",
           ("outcome",), "frames.stats", lambda s: _words({"told": s.service.reranker.frames.stats.bumps
           - s.service.reranker.frames.stats.bumps_lost, "lost": s.service.reranker.frames.stats.bumps_lost},
           {"told": "told", "lost": "lost"})),
    Family("counter", "rerank_listing_lookups_total", "Look-ups of listings by what they were worth",
           ("worth",), "recommender.stats", lambda s: members(s.service.recommender.stats, "hits", "misses", "stale")),
    Family("counter", "rerank_metadata_items_total", "Items whose metadata was cached, asked for, or could not be had",
           ("source",), "metadata.stats", lambda s: members(s.service.metadata.stats, "cached", "asked", "missing")),
    Family("counter", "rerank_pins_total", "Pinned rankings: kept, not kept, pages read, and read too late",
           ("event",), "pins.stats", lambda s: members(s.service.pins.stats, "pinned", "lost", "pages", "gone")),
    Family("counter", "rerank_cache_operations_total",
           "Operations on a shared cache, by what came of them (a look-up that failed, or was not made, is a miss)",
           ("outcome",), "store_health", _store("hits", "misses", "saves", "bumps")),
    Family("counter", "rerank_cache_errors_total", "Operations that failed, by reason",
           ("reason",), "store_health", lambda s: each(s.store.get("errors", {}))),
    Family("counter", "rerank_cache_rejects_total", "Stored values that were not believed, by reason",
           ("reason",), "store_health", lambda s: each(s.store.get("rejects", {}))),
    Family("counter", "rerank_cache_unasked_total", "Operations not made (the breaker was open: skipped; too many were "
           "under way: bypassed) or not waited for (abandoned)", ("reason",), "store_health",
           _store("skipped", "bypassed", "abandoned")),
    Family("counter", "rerank_cache_bytes_total", "Bytes of values read from and written to a shared cache",
           ("direction",), "store_health", lambda s: _words(s.store, {"bytesRead": "read", "bytesWritten": "written"})),
    Family("gauge", "rerank_cache_memory_bytes", "What frames in this process take", (), "store_health",
           _of("store", "bytes")),
    Family("gauge", "rerank_cache_memory_limit_bytes", "What they may take", (), "store_health",
           _of("store", "bytesMax")),
    Family("gauge", "rerank_cache_memory_frames", "Frames and listings in this process", (), "store_health",
           _of("store", "frames")),
    Family("counter", "rerank_cache_memory_evictions_total", "Frames that had to go before their time", (),
           "store_health", _of("store", "evicted")),
)  # fmt: skip

CREDENTIALS: Final = (
    Family("gauge", "rerank_credentials_usable", "Whether upstream calls can be signed (1 or 0)", (),
           "credentials_health", _of("credentials", "usable")),
    Family("gauge", "rerank_credentials_expiry_seconds", "Seconds until the credentials in use expire; absent if they "
           "do not", (), "credentials_health", _of("credentials", "expiresS")),
    Family("gauge", "rerank_credentials_age_seconds", "Seconds since the source first gave those in use", (),
           "credentials_health", _of("credentials", "ageS")),
    Family("counter", "rerank_credentials_refreshes_total", "Questions to the source that it answered with usable "
           "credentials", (), "credentials_health", _of("credentials", "refreshes")),
    Family("counter", "rerank_credentials_refresh_failures_total", "Questions to the source that it did not answer so",
           (), "credentials_health", _of("credentials", "failures")),
)  # fmt: skip

PROCESS: Final = (
    Family("histogram", "rerank_event_loop_lag_seconds", "How late the event loop was, looked at ten times a second",
           (), "pulse.lag_s", lambda s: one(s.service.pulse.lag_s)),
    Family("gauge", "rerank_tasks", "Tasks of the event loop: a connection has one, a call upstream another", (),
           "pulse.tasks", lambda s: one(s.service.pulse.tasks)),
    Family("gauge", "rerank_background_tasks", "Tasks that outlive their request", (), "background",
           lambda s: one(s.service.reranker.frames.background.under_way)),
    Family("counter", "rerank_background_dropped_total", "Such work that there was no room for", (), "background",
           lambda s: one(s.service.reranker.frames.background.dropped)),
    Family("counter", "rerank_log_dropped_total", "Lines of the log that were dropped, as their reader had no room for "
           "them", (), "log_stream.dropped", lambda s: one(s.service.log_dropped())),
    Family("gauge", "rerank_draining", "Whether the process is about to end (1 or 0)", (), "draining",
           lambda s: one(s.service.draining)),
    Family("gauge", "rerank_build_info", "Always 1", ("version", "python"), "the package", _build),
)  # fmt: skip

SECTIONS: Final[dict[str, tuple[Family, ...]]] = {
    "Requests": REQUESTS,
    "Rankings": RANKINGS,
    "Cost": COST,
    "Upstream": UPSTREAM,
    "Cache": CACHE,
    "Credentials": CREDENTIALS,
    "Process": PROCESS,
}
FAMILIES: Final = tuple(family for section in SECTIONS.values() for family in section)
