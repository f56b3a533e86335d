"""Worlds to rank in, and one ranking from plan to order, as the service makes it but without anything to wait for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.stats import kendalltau

from gateway.core.answer import Answer, check_answer
from gateway.core.bridge import Bridge, plan_bridges
from gateway.core.calibration import ERROR_MAX, Calibration, calibrate
from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.learning import frame_of
from gateway.core.model import Grade, Ints
from gateway.core.ordering import Ranking, order_candidates
from gateway.core.plan import CALL_LIMIT, Plan, plan_ranking
from gateway.core.resolution import drowned, resolvable
from tests.support.softmax_ranker import respond, softmax_scores

NEAR = 1e-4
"""Logits this close are a tie: rounding to 7 decimals cannot tell which of the two is the better one."""


@dataclass(frozen=True)
class World:
    """What one model says to one user. Items without a logit are unknown; `blank` is the score that they come with."""

    logits: Mapping[str, float]
    excluded: frozenset[str] = frozenset()
    blank: float | None = None
    exact: bool = False

    def rows(self, items: Sequence[str]) -> list[tuple[str, float | None]]:
        """The response to one call of any size."""
        rows = respond(items, self.logits, self.excluded)
        names = [item for item, _ in rows]
        scores = [self.blank if score is None else score for _, score in rows]
        if self.exact:
            known = [item for item, score in rows if score is not None]
            scores[: len(known)] = softmax_scores([self.logits[item] for item in known]).tolist()
        return list(zip(names, scores, strict=True))

    def answer(self, items: Sequence[str], recommendation_id: str = "RID") -> Answer:
        """The response, checked."""
        rows = self.rows(items)
        return check_answer(
            items,
            [item for item, _ in rows],
            [score for _, score in rows],
            recommendation_id,
            filtered=bool(self.excluded),
        )

    def whole(self, items: Sequence[str]) -> list[tuple[str, float]]:
        """What one unlimited call with unrounded scores would have answered; unknown items score 0."""
        return [(item, score or 0.0) for item, score in replace(self, exact=True).rows(items)]


@dataclass(frozen=True)
class Made:
    """One ranking and all that went into it."""

    plan: Plan
    answers: list[Answer | None]
    bridges: list[Bridge]
    first: Calibration
    calibration: Calibration

    @cached_property
    def ranking(self) -> Ranking:
        """The wanted items in their order."""
        return order_candidates(self.calibration.log, self.calibration.grade)

    @property
    def order(self) -> list[str]:
        """The wanted items, best first."""
        return [self.plan.universe[place] for place in self.ranking.order.tolist()]

    @property
    def scores(self) -> list[float]:
        """The scores along the order."""
        return self.ranking.scores.tolist()

    @property
    def frame(self) -> Frame:
        """What was learnt."""
        return frame_of(self.plan, self.calibration, self.answers, scale_id="scale", created_s=100.0)


def make(
    world: World,
    wanted: Sequence[str],
    frame: Frame | None = None,
    *,
    limit: int = CALL_LIMIT,
    lost: Collection[int] = (),
    bridged: bool = True,
    near: Ints | None = None,
) -> Made:
    """Plan, call, calibrate, and bridge where it is needed; calls whose number is in `lost` fail."""
    plan = plan_ranking(list(wanted), frame, limit, near)
    answers = [
        None if call in lost else world.answer(plan.items(chunk), f"RID-{call}")
        for call, chunk in enumerate(plan.chunks)
    ]
    first = calibration = calibrate(plan, answers)
    bridges: list[Bridge] = []
    if bridged and first.error > ERROR_MAX:
        bridges = plan_bridges(plan, answers)
        calibration = calibrate(plan, answers, bridges, [world.answer(plan.items(one.chunk)) for one in bridges])
    return Made(plan, answers, bridges, first, calibration)


@dataclass
class Session:
    """One user who asks again and again: a frame that grows with every request."""

    world: World
    limit: int = CALL_LIMIT
    frame: Frame | None = None
    made: Made | None = None

    def rank(self, candidates: Sequence[str]) -> tuple[list[str], list[float]]:
        """The candidates in their order, and the scores; only what the frame does not hold is asked for."""
        wanted = self._wanted(list(candidates))
        near = None if self.frame is None else self.frame.rows(candidates)
        near = None if near is None else near[near >= 0]
        self.made = make(self.world, wanted, self.frame, limit=self.limit, near=near) if wanted else None
        if self.made is not None:
            self.frame = self.made.frame if self.frame is None else self.frame.extended(self.made.frame)
        assert self.frame is not None
        rows = self.frame.rows(candidates)
        ranking = order_candidates(self.frame.log[rows], self.frame.grade[rows])
        return [candidates[place] for place in ranking.order.tolist()], ranking.scores.tolist()

    def _wanted(self, candidates: list[str]) -> list[str]:
        """What to ask for: what the frame does not hold, and what this list can resolve better."""
        if self.frame is None:
            return candidates
        log, grade = self.frame.standing(self.frame.rows(candidates))
        if drowned(grade):
            self.frame = None
            return candidates
        ask = resolvable(log, grade) | (grade == Grade.UNRANKED)
        return [candidates[place] for place in np.flatnonzero(ask).tolist()]


def names(count: int, prefix: str = "i") -> list[str]:
    """Distinct item ids."""
    return [f"{prefix}{number}" for number in range(count)]


def normal_world(seed: int, count: int, sigma: float, *, by_relevance: bool = False) -> tuple[list[str], World]:
    """A caller's list, in random order or as a relevance half right would sort it, and normal logits for it."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, sigma, count)
    if by_relevance:
        logits = logits[np.argsort(-(logits + rng.normal(0.0, sigma, count)))]
    wanted = names(count)
    return wanted, World(dict(zip(wanted, logits.tolist(), strict=True)))


def best_first(world: World, items: Sequence[str]) -> list[str]:
    """The items that the model knows, in its own order."""
    return sorted((item for item in items if item in world.logits), key=lambda item: -world.logits[item])


def top_found(world: World, order: Sequence[str], depth: int = 100) -> float:
    """The share of the first items of the order that are as good as the last of the true best, but for a near tie."""
    depth = min(depth, len(order))
    least = world.logits[best_first(world, order)[depth - 1]] - NEAR
    return sum(world.logits[item] >= least for item in order[:depth]) / depth


def tau(world: World, order: Sequence[str]) -> float:
    """Kendall's rank correlation of the order with the model's own."""
    return float(kendalltau(np.arange(len(order)), [-world.logits[item] for item in order]).statistic)


def frame_with(logs: Mapping[str, float], grade: int = Grade.SHARP, **others: object) -> Frame:
    """A frame of these items, all of one grade and from one call."""
    return replace(
        Frame(
            ids=Ids(list(logs)),
            log=np.array(list(logs.values()), dtype=np.float64),
            grade=np.full(len(logs), grade, dtype=np.uint8),
            source=np.zeros(len(logs), dtype=np.int32),
            recommendation_ids=("RID",),
            scale_id="scale",
            created_s=100.0,
        ),
        **others,
    )
