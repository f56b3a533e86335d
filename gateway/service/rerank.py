"""The use case: one ranking of any number of candidates. Read it from the top.

Look up what is known of the subject, plan the calls for what is missing, fan them out, put their scores on the frame's
scale, bridge them if the anchors were too weak, start anew if the frame turns out to have drifted, order, and keep what
was learnt. What cannot be whole is flagged, in the order: what was ranked, a stale frame, the caller's order, an error.
"""

from dataclasses import dataclass, replace
from random import Random

import numpy as np

from gateway.core.answer import Answer
from gateway.core.bridge import Bridge, plan_bridges
from gateway.core.calibration import ERROR_MAX, calibrate
from gateway.core.frame import Frame
from gateway.core.learning import frame_of
from gateway.core.model import Ints, distinct
from gateway.core.ordering import order_candidates
from gateway.core.plan import Plan, missing, plan_ranking
from gateway.ports import Clock
from gateway.service.fanout import FanOut, Fans
from gateway.service.frames import Found, Frames
from gateway.service.gate import Gates
from gateway.service.result import (
    Degraded,
    Origin,
    Request,
    Result,
    Round,
    Timing,
    Usage,
    incomplete,
    view,
    worst,
)


@dataclass(frozen=True, slots=True)
class Reranker:
    """Ranks candidates for a subject: the same contract and scores as one unlimited call."""

    fans: Fans
    gates: Gates
    frames: Frames
    clock: Clock
    random: Random

    async def rerank(self, request: Request) -> Result:
        """Rank the request's items by its deadline.

        Raises `CallerError` for what is the caller's own fault, `UpstreamError` when nothing at all could be ranked and
        the campaign has no fallback.
        """
        making = _Making(self, request, distinct(request.items), Usage(), Timing(self.clock), [])
        found = await making.look_up()
        making.frame, making.cached = found.fresh, 0 if found.fresh is None else len(found.fresh)
        await making.learn()
        with making.timing.stage("cpu_s"):
            return making.answer(found.stale)


@dataclass(slots=True)
class _Making:
    """One ranking being made. The first `cached` rows of `frame`, what is known so far, came from the cache."""

    tools: Reranker
    request: Request
    candidates: list[str]
    usage: Usage
    timing: Timing
    rounds: list[Round]
    frame: Frame | None = None
    cached: int = 0

    async def look_up(self) -> Found:
        if not self.candidates:
            return Found()
        with self.timing.stage("cache_s"):
            return await self.tools.frames.look_up(self.request.subject)

    async def learn(self) -> None:
        """Ask upstream for what the frame does not hold; once more, for everything else, if the frame has drifted."""
        while True:
            with self.timing.stage("cpu_s"):
                wanted = missing(self.candidates, self.rows()) if self.frame is not None else self.candidates
            if not wanted:
                return
            made = await self.round(wanted)
            self.rounds.append(made)
            if not made.drifted:
                self.frame = made.learnt if self.frame is None else self.frame.extended(made.learnt)
                return
            self.frame, self.cached = made.learnt, 0
            self.usage.drifts += 1

    async def round(self, wanted: list[str]) -> Round:
        """Plan the calls for the wanted items, make them, and put them on one scale."""
        created_s = self.tools.clock.wall_s()
        with self.timing.stage("cpu_s"):
            plan = plan_ranking(wanted, self.frame)
        fan = await self.calls(plan, plan.chunks)
        with self.timing.stage("cpu_s"):
            calibration = calibrate(plan, fan.answers)
        bridges: list[Bridge] = []
        over: list[Answer | None] = []
        if calibration.error > ERROR_MAX and self.request.budget.allows_attempt(self.tools.clock.now_s()):
            bridges = plan_bridges(plan, fan.answers)
            over = (await self.calls(plan, [one.chunk for one in bridges])).answers
            self.usage.bridges += len(bridges)
            calibration = calibrate(plan, fan.answers, bridges, over)
        with self.timing.stage("cpu_s"):
            # A second drift within one request is no frame's fault: it is flagged instead (`Round.sound`).
            drifted = calibration.drifted and not self.rounds
            if drifted:  # the new calls are true among themselves, so they begin a new frame
                plan = replace(plan, known_log=None)
                calibration = calibrate(plan, fan.answers, bridges, over)
            known = None if drifted else self.frame
            scale_id = f"{self.tools.random.getrandbits(64):016x}" if known is None else known.scale_id
            learnt = frame_of(plan, calibration, fan.answers, scale_id=scale_id, created_s=created_s)
        return Round(plan, fan, calibration, bridges, drifted, learnt)

    async def calls(self, plan: Plan, chunks: list[Ints]) -> FanOut:
        """Make one call for every chunk."""
        gate = self.tools.gates.of(self.request.campaign)
        with self.timing.stage("upstream_s"):
            lists = [plan.items(chunk) for chunk in chunks]
            fan = await self.tools.fans.fan_out(gate, self.request.subject, lists, self.request.budget)
        self.usage.count(fan)
        self.timing.queue_s = max(self.timing.queue_s, fan.queue_s)
        return fan

    def rows(self) -> Ints:
        """Where the candidates stand in the frame, -1 for nowhere."""
        if self.frame is None:
            return np.full(len(self.candidates), -1, dtype=np.intp)
        if self.frame.items is self.candidates:  # learnt in one piece just now: nothing to look up
            return np.arange(len(self.candidates))
        return self.frame.rows(self.candidates)

    def answer(self, stale: Frame | None) -> Result:
        """Order what is known, keep what was learnt, flag what is not whole."""
        frame, rows = self.frame, self.rows()
        origin = np.where(rows < self.cached, Origin.CACHED, Origin.FRESH)
        sound = all(made.sound for made in self.rounds)
        degraded = None if sound else Degraded.CALIBRATION
        if sound and frame is not None and any(len(made.learnt) for made in self.rounds):
            self.tools.frames.keep(self.request.subject, frame, rows)
        if (rows < 0).any():
            degraded = incomplete(self.rounds[-1].fan.failures)
            if (rows < 0).all():
                frame, rows, degraded = self.instead(stale)
                origin = np.full(len(rows), Origin.STALE)
        log, grade, source = view(frame, rows)
        ranking = order_candidates(log, grade)
        self.usage.candidates = len(self.candidates)
        self.usage.cached = int(((rows >= 0) & (origin != Origin.FRESH)).sum())
        self.usage.unknown, self.usage.excluded = ranking.unknown, ranking.excluded
        self.usage.unranked = ranking.unranked
        return Result(
            candidates=self.candidates,
            ranking=ranking,
            log=log,
            grade=grade,
            origin=origin,
            source=source,
            recommendation_ids=frame.recommendation_ids if frame is not None else (),
            degraded=degraded,
            usage=self.usage,
            timing=self.timing,
            rounds=self.rounds,
        )

    def instead(self, stale: Frame | None) -> tuple[Frame | None, Ints, Degraded]:
        """What stands in when nothing could be ranked: a stale frame, the caller's order, or the error."""
        if stale is not None and ((rows := stale.rows(self.candidates)) >= 0).any():
            return stale, rows, Degraded.STALE
        if self.request.campaign.fallback == "input-order":
            return None, np.full(len(self.candidates), -1, dtype=np.intp), Degraded.FALLBACK
        raise worst(self.rounds[-1].fan.failures)
