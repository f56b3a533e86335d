"""The use case: one ranking of any number of candidates. Read it from the top.

Look up what is known of the subject. A frame that knows everything answers at once, even a stale one, flagged, while a
fresh one is learnt in the background. What is missing is asked upstream, together with whoever else asks for it
(`fills`, which plan, fan out and calibrate by `rounds`). Then order. What cannot be whole is flagged, in the order:
what was ranked, a stale frame, the caller's order, an error.
"""

from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from gateway.core.by_rank import order_by_rank
from gateway.core.errors import DeadlineExceeded, UpstreamError
from gateway.core.frame import Frame
from gateway.core.keys import user_key
from gateway.core.life import Stage
from gateway.core.model import Grade, Ints, distinct, every, filled, some
from gateway.core.ordering import order_candidates
from gateway.core.plan import CALL_LIMIT
from gateway.ports import Clock
from gateway.service.bill import Bill
from gateway.service.fill import Learnt, to_ask
from gateway.service.fills import Fills
from gateway.service.frames import Found, Frames
from gateway.service.result import Cost, Degraded, Origin, Played, Request, Result, Round, incomplete, view, worst
from gateway.service.turns import STEP, Turns, slices


@dataclass(frozen=True, slots=True)
class Reranker:
    """Ranks candidates for a subject: the same contract and scores as one unlimited call; `bill` has what it saved."""

    fills: Fills
    frames: Frames
    clock: Clock
    turns: Turns
    bill: Bill = field(default_factory=Bill)

    async def rerank(self, request: Request) -> Result:
        """Rank the request's items by its deadline.

        Raises `CallerError` for what is the caller's own fault, `UpstreamError` when nothing at all could be ranked and
        the campaign has no fallback.
        """
        result = await self._ranked(request)
        usage = result.usage
        self.bill.ranked(request.subject.tenant, usage.candidates - usage.unranked, usage.upstream_calls)
        return result

    async def _ranked(self, request: Request) -> Result:
        cost = Cost.new(self.clock)
        if not request.items:
            return _result(request, [], None, np.empty(0, dtype=np.intp), Origin.FRESH, None, cost, [])
        candidates, found, rows = await self._looked_up(request, cost)
        rows = await self._known(candidates, found, rows, cost)
        if rows is not None:
            await self.turns.next_step(len(candidates))
            if found.stage is not Stage.FRESH:
                self.fills.refresh(request, candidates, found)
            stale = found.stage is Stage.STALE
            origin = Origin.STALE if stale else Origin.CACHED
            with cost.cpu:
                flag = Degraded.STALE if stale else None
                return _result(request, candidates, found.frame, rows, origin, flag, cost, [])
        learnt = await self.fills.learn(request, candidates, found, cost)
        await self.turns.mine()
        with cost.cpu:
            return _answer(request, candidates, found, learnt, cost)

    async def forget_user(self, tenant: str, user_id: str) -> bool:
        """Let no frame of the user answer any more, nor what is under way; False if that could not be stored."""
        stored = await self.frames.bump(tenant, user_id)
        self.fills.forget(user_key(tenant, user_id))
        return stored

    async def _looked_up(self, request: Request, cost: Cost) -> tuple[list[str], Found, Ints | None]:
        """The candidates, what is known of the subject, and where the candidates stand in that, if it is of the very
        list that was sent: that repeats nothing, which is not looked at again."""
        if request.ordinal:  # what is kept for it is found by the candidates
            candidates = await self._distinct(request.items, cost)
            with cost.timing.stage("cache_s"):
                return candidates, await self.frames.look_up(request.subject, *request.kept_for(candidates)), None
        with cost.timing.stage("cache_s"):
            found = await self.frames.look_up(request.subject)
        await self.turns.next_step(len(request.items))
        if found.frame is not None:
            with cost.cpu:
                if found.frame.ids.are(request.items):
                    return request.items, found, found.frame.ids.places
        return await self._distinct(request.items, cost), found, None

    async def _distinct(self, items: list[str], cost: Cost) -> list[str]:
        """The items without repetition; of a long list a piece in each turn, and a second time only where one stands
        twice: 100,000 in a set take 9 ms, as the keys of a dictionary 18."""
        if len(items) <= STEP:
            with cost.cpu:
                return distinct(items)
        seen: set[str] = set()
        for piece in slices(items, STEP):
            await self.turns.mine()
            with cost.cpu:
                seen.update(piece)
        if len(seen) == len(items):
            return items
        first: dict[str, None] = {}
        for piece in slices(items, STEP):
            await self.turns.mine()
            with cost.cpu:
                first.update(dict.fromkeys(piece))
        return list(first)

    async def _rows(self, frame: Frame, candidates: list[str], cost: Cost) -> Ints:
        """The rows of the candidates; of a long list a piece in each turn, but the very list of the frame at once."""
        await self.turns.next_step(len(candidates))
        with cost.cpu:
            if len(candidates) <= STEP or frame.ids.are(candidates):
                return frame.rows(candidates)
        pieces: list[Ints] = []
        for start in range(0, len(candidates), STEP):
            with cost.cpu:
                pieces.append(frame.rows(candidates[start : start + STEP]))
            await self.turns.mine()
        return np.concatenate(pieces)

    async def _known(self, candidates: list[str], found: Found, rows: Ints | None, cost: Cost) -> Ints | None:
        """The rows of the candidates, if the frame knows all of them well enough; counts what it was worth. `rows` are
        theirs where somebody has looked already."""
        stats = self.frames.stats
        if found.frame is None or found.stage is Stage.RESERVE:
            stats.misses += 1
            return None
        if rows is None:
            rows = await self._rows(found.frame, candidates, cost)
        if found.frame.holds_all(rows) and (found.stage is Stage.STALE or not some(to_ask(found.frame, rows))):
            stats.stale += found.stage is Stage.STALE
            stats.hits += found.stage is not Stage.STALE
            return rows
        stats.partial_hits += found.fresh is not None
        stats.misses += found.fresh is None
        return None


def _answer(request: Request, candidates: list[str], found: Found, learnt: Learnt, cost: Cost) -> Result:
    """Order what was learnt, and flag what is not whole."""
    lost = learnt.rows < 0
    if every(lost):
        return _instead(request, candidates, found, learnt, cost)
    degraded = None if learnt.sound else _uncertain(request, learnt)
    if some(lost):
        degraded = incomplete(_failures(learnt))
    origin = np.where(learnt.cached, Origin.CACHED, Origin.FRESH) if some(learnt.cached) else Origin.FRESH
    return _result(request, candidates, learnt.frame, learnt.rows, origin, degraded, cost, learnt.rounds)


def _uncertain(request: Request, learnt: Learnt) -> Degraded | None:
    """The flag of an answer that holds everything in an order which is not certain; None if the page is."""
    if not request.ordinal or learnt.frame is None:
        return Degraded.CALIBRATION
    settled = int((learnt.frame.grade == Grade.SHARP).sum())
    return Degraded.UNSETTLED if settled < min(request.depth, request.page_end or request.depth) else None


def _instead(request: Request, candidates: list[str], found: Found, learnt: Learnt, cost: Cost) -> Result:
    """What stands in when nothing could be ranked: a frame past its time, the caller's order, or the error."""
    if found.frame is not None and some((rows := found.frame.rows(candidates)) >= 0):
        return _result(request, candidates, found.frame, rows, Origin.STALE, Degraded.STALE, cost, learnt.rounds)
    if request.campaign.fallback == "input-order":
        return _result(request, candidates, None, learnt.rows, Origin.FRESH, Degraded.FALLBACK, cost, learnt.rounds)
    raise worst(_failures(learnt))


def unranked(request: Request, candidates: list[str], degraded: Degraded, cost: Cost) -> Result:
    """The candidates in the caller's order, none of them ranked."""
    nowhere = filled(len(candidates), -1, np.intp)
    return _result(request, candidates, None, nowhere, Origin.FRESH, degraded, cost, [])


def _failures(learnt: Learnt) -> list[UpstreamError]:
    """Why candidates are missing: calls that failed, and the deadline, if it came first."""
    failures = list(chain.from_iterable(made.fan.failures for made in learnt.rounds))
    return failures if learnt.in_time else [*failures, DeadlineExceeded("no answer before the deadline")]


def _cached(rows: Ints, origin: int | Ints) -> int:
    """How many candidates in these rows have a score that is not fresh."""
    if isinstance(origin, int):
        return 0 if origin == Origin.FRESH else int(np.count_nonzero(rows >= 0))
    return int(np.count_nonzero((rows >= 0) & (origin != Origin.FRESH)))


def _result(
    request: Request,
    candidates: list[str],
    frame: Frame | None,
    rows: Ints,
    origin: int | Ints,
    degraded: Degraded | None,
    cost: Cost,
    rounds: list[Round | Played],
) -> Result:
    """Order the candidates, which stand in these rows of the frame (-1: nowhere), and count."""
    own = None if frame is None or rounds else frame.own(rows)
    log, grade, source = view(frame, rows)
    has_scores = not request.ordinal or len(candidates) <= CALL_LIMIT
    if not has_scores:
        ranking = order_by_rank(log, grade)
    else:
        ranking = order_candidates(log, grade) if frame is None else frame.ranking(rows)
    origins = filled(len(rows), origin, np.intp) if isinstance(origin, int) else origin
    usage = cost.usage
    usage.candidates = len(candidates)
    usage.cached = _cached(rows, origin)
    usage.unknown, usage.excluded, usage.unranked = ranking.unknown, ranking.excluded, ranking.unranked
    return Result(
        candidates=candidates,
        ranking=ranking,
        log=log,
        grade=grade,
        origin=origins,
        source=source,
        recommendation_ids=frame.recommendation_ids if frame is not None else (),
        variant=request.campaign.variant,
        degraded=degraded,
        usage=usage,
        timing=cost.timing,
        rounds=rounds,
        merge=request.campaign.merge,
        has_scores=has_scores,
        own=own,
    )
