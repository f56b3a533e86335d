"""One fill for many callers: whatever is asked upstream for a frame is asked once, by item.

A *fill* is what goes on for one frame at the moment: the frame as far as it is known, and the *batches* of items that
are under way. A caller rides on the batches that hold its missing items and starts one for the rest; callers that come
at the same time put their rests into one batch, so six shelves of a page cost what their union costs. While a frame
has no scale yet, a newcomer waits for the first batch, which gives it one.

Batches belong to nobody who may leave: a caller that leaves takes nobody along, and when the last rider of a batch
leaves, its calls are cancelled. What a batch costs is charged to the caller that started it, so the usages of all
callers add up to the bill. A fill stays joinable until what it learnt must have arrived in the store.
"""

import asyncio
from dataclasses import replace
from typing import Final

import numpy as np

from gateway.core.budget import Budget
from gateway.core.errors import CallerError
from gateway.core.frame import ITEMS_MAX
from gateway.core.life import Stage
from gateway.core.plan import CALL_LIMIT, METADATA_LIMIT
from gateway.core.resolution import drowned
from gateway.service.fill import Asked, Batch, Fill, Learnt
from gateway.service.frames import Found, Frames
from gateway.service.result import NO_COLUMNS, Columns, Cost, Played, Request, Round
from gateway.service.rounds import Rounds

GATHER_TURNS: Final = 3
"""Turns of the event loop that a batch waits for others before it starts: what has arrived by now is in it, and nobody
waits for what has not."""

LINGER_S: Final = 0.1
"""How long a fill outlives its last caller: longer than any store takes to save a frame (20 ms by default)."""

PATIENCE: Final = 0.5
"""Share of its time that a caller waits for somebody else's first batch before it begins a fill of its own."""

GRACE_S: Final = 0.025
"""How long after its deadline a caller still waits for a batch whose calls are over and which is being calibrated: what
has been answered is not thrown away for a hiccup of this process."""

REFRESH_S: Final = 5.0
"""Time of a refresh in the background; no caller waits for it."""

PASSES_MAX: Final = 6
"""Passes of one caller over its missing items. Two are normal; a third follows a drift, a fourth a race of two."""


class Fills:
    """All fills under way."""

    def __init__(self, rounds: Rounds, frames: Frames) -> None:
        self._rounds = rounds
        self._frames = frames
        self._clock = frames.clock
        self._fills: dict[str, Fill] = {}
        self._refreshing: set[str] = set()

    def __repr__(self) -> str:
        batches = sum(len(fill.batches) for fill in self._fills.values())
        return f"<Fills {len(self._fills)} batches={batches} refreshing={len(self._refreshing)}>"

    async def learn(self, request: Request, candidates: list[str], found: Found, cost: Cost) -> Learnt:
        """Everything that can be known of the candidates by the request's deadline.

        Raises `CallerError` if a call says that the request is wrong.
        """
        fill = self._join(found)
        learnt = await self._ride(fill, request, candidates, cost)
        if learnt is None:  # begin anew, for all who come from now on
            fill = self._fills[found.key.frame] = Fill(found.key, found.epoch, None, self._clock.wall_s())
            learnt = await self._ride(fill, request, candidates, cost, anew=True)
        assert learnt is not None  # noqa: S101 - a caller that began anew always gets something
        return learnt

    def refresh(self, request: Request, candidates: list[str], found: Found) -> None:
        """Learn the candidates anew in the background, once per frame, and put the result in the old frame's place."""
        if found.epoch is None or found.key.frame in self._refreshing:
            return
        if self._frames.background.start(self._refresh(request, candidates, found)):
            self._refreshing.add(found.key.frame)
            self._frames.stats.refreshes += 1

    def forget(self, user: str) -> None:
        """Let nobody join what is under way for a user: an event has come in between."""
        for name in [name for name, fill in self._fills.items() if fill.key.user == user]:
            del self._fills[name]

    async def _refresh(self, request: Request, candidates: list[str], found: Found) -> None:
        budget = Budget.of(self._clock.now_s(), REFRESH_S, len(candidates))
        fill = Fill(found.key, found.epoch, None, self._clock.wall_s(), whole_only=True)
        try:
            await self._ride(
                fill, replace(request, budget=budget, columns=NO_COLUMNS), candidates, Cost.new(self._clock), anew=True
            )
        except CallerError:
            return  # the callers are told, each by its own request
        finally:
            self._refreshing.discard(found.key.frame)

    def _join(self, found: Found) -> Fill:
        """The fill under way for the frame, if it is of the same epoch and fresh; else a new one."""
        fill = self._fills.get(found.key.frame)
        if fill is not None and self._joinable(fill, found):
            self._frames.stats.joined += 1
            return fill
        fill = self._fills[found.key.frame] = Fill(found.key, found.epoch, found.fresh, self._clock.wall_s())
        return fill

    def _joinable(self, fill: Fill, found: Found) -> bool:
        if not fill.sound or not fill.is_of(found.epoch):
            return False
        if fill.frame is None:
            return found.fresh is None
        if len(fill.frame) > ITEMS_MAX:
            return False
        life, now_s = self._frames.life, self._clock.wall_s()
        stage = life.stage(created_s=fill.frame.created_s, epoch=fill.epoch or 0, now_s=now_s, chance=0.0)
        return stage in (Stage.FRESH, Stage.DUE)

    async def _ride(
        self, fill: Fill, request: Request, candidates: list[str], cost: Cost, *, anew: bool = False
    ) -> Learnt | None:
        """Ride on batches until nothing is missing that could still be had.

        None, if not `anew`, for a caller that has to begin anew: its patience is over, or all that the frame knows of
        its list was drowned by stronger items, so that the frame is of no use to it.
        """
        mark = fill.frame
        rode: list[Batch] = []
        asked = Asked(candidates)
        in_time = True
        fill.callers += 1
        try:
            rows = before = fill.rows(candidates)
            for _ in range(PASSES_MAX):
                with cost.cpu:
                    if not anew and fill.frame is not None and drowned(fill.frame.standing(rows)[1]) and fill.has_scale:
                        return None
                    wanted = asked.next(fill.frame, rows)
                    batches, waiting = self._batches(fill, wanted, candidates, request, cost)
                if not batches:
                    break
                rode += batches
                in_time = await self._wait(batches, request.budget, cost, patient=anew or not waiting)
                if not in_time:
                    rows = fill.rows(candidates)
                    if waiting and self._clock.now_s() < request.budget.calls_until_s:
                        return None
                    break
                with cost.cpu:
                    asked.add(rows, batches)
                    rows = fill.rows(candidates)
            same = mark is not None and fill.frame is not None and mark.scale_id == fill.frame.scale_id
            cached = (before >= 0) & ~asked.mask if same else np.zeros(len(candidates), dtype=np.bool_)
            rounds = [batch.round for batch in dict.fromkeys(rode) if batch.round is not None]
            return Learnt(fill.frame, rows, cached, rounds, fill.sound, in_time)
        finally:
            self._leave(fill, rode)

    def _batches(
        self, fill: Fill, wanted: list[str], candidates: list[str], request: Request, cost: Cost
    ) -> tuple[list[Batch], bool]:
        """The batches that a caller must wait for, one of them begun for what nobody asks yet; and whether some of what
        it wants has to wait for the scale that the others will bring."""
        if not wanted:
            return [], False
        riding = [batch for batch in fill.batches if any(item in batch for item in wanted)]
        rest = [item for item in wanted if not any(item in batch for batch in riding)] if riding else wanted
        waiting = False
        if rest and fill.gathering is not None:
            fill.gathering.add(rest, request.budget)
            if fill.gathering not in riding:
                riding.append(fill.gathering)
        elif rest and fill.batches and not fill.has_scale:
            riding, waiting = list(fill.batches), True
        elif rest:
            batch = Batch(rest, candidates, request.budget, cost)
            self._begin(fill, batch, request)
            riding.append(batch)
        for batch in riding:
            batch.riders += 1
        return riding, waiting

    def _begin(self, fill: Fill, batch: Batch, request: Request) -> None:
        fill.batches.append(batch)
        fill.gathering = batch
        batch.task = asyncio.get_running_loop().create_task(self._run(fill, batch, request))
        batch.task.add_done_callback(lambda task: self._ended(fill, batch, task))

    def _ended(self, fill: Fill, batch: Batch, task: asyncio.Task[None]) -> None:
        """A batch is over, also one that was cancelled before its first step.

        Its riders may all have left, so its exception is looked at here: nobody else may.
        """
        fill.drop(batch)
        batch.task = None  # one that was cancelled keeps its frames, and they the batch
        if not task.cancelled():
            task.exception()

    async def _run(self, fill: Fill, batch: Batch, request: Request) -> None:
        """Learn a batch and merge it."""
        for _ in range(GATHER_TURNS):
            await asyncio.sleep(0)
        fill.gathering = None
        base = fill.frame
        made = await self._made(fill, batch, request)
        fill.take(batch, base, made)
        self._frames.stats.drifts += made.drifted
        self._keep(fill, batch, made)

    async def _made(self, fill: Fill, batch: Batch, request: Request) -> Round | Played:
        """A round, or a tournament where several calls may not be put on one scale."""
        campaign, subject = request.campaign, request.subject
        if request.ordinal and len(batch.wanted) > CALL_LIMIT:
            return await self._rounds.play(campaign, subject, batch.wanted, request.depth, batch.budget, batch.cost)
        near = None
        if fill.frame is not None:
            rows = fill.frame.rows(batch.candidates)
            near = rows[rows >= 0]
        return await self._rounds.make(
            campaign,
            subject,
            batch.wanted,
            fill.frame,
            near,
            batch.budget,
            batch.cost,
            _on_the_way(request, batch),
            may_drift=not fill.drifted,
        )

    def _keep(self, fill: Fill, batch: Batch, made: Round | Played) -> None:
        """Store what is now known, if it is certain and new; and whole, where it replaces what still answers."""
        whole = len(made.learnt) == len(batch.wanted)
        if not (batch.merged and fill.sound and len(made.learnt)) or (fill.whole_only and not whole):
            return
        if fill.epoch is not None and fill.frame is not None:
            self._frames.keep(fill.key, fill.frame, fill.epoch, batch.candidates)

    async def _wait(self, batches: list[Batch], budget: Budget, cost: Cost, *, patient: bool) -> bool:
        """Wait for all batches; False if the caller's time, or its patience, is over first."""
        now_s = self._clock.now_s()
        # A batch that ends by the caller's own deadline leaves it the time that it kept back for its own work.
        ends_in_time = all(batch.budget.deadline_s <= budget.deadline_s for batch in batches)
        until_s = budget.deadline_s + GRACE_S if ends_in_time else budget.calls_until_s
        if not patient:
            until_s = min(until_s, now_s + PATIENCE * (budget.calls_until_s - now_s))
        tasks = [batch.task for batch in batches if batch.task is not None]
        with cost.timing.stage("upstream_s"):
            done, late = await asyncio.wait(tasks, timeout=max(0.0, until_s - now_s))
        for task in done:
            task.result()
        return not late

    def _leave(self, fill: Fill, rode: list[Batch]) -> None:
        """A caller is gone: batches without riders are cancelled; a fill without callers is packed, and forgotten after
        a while."""
        fill.callers -= 1
        for batch in rode:
            batch.riders -= 1
            if not batch.riders and batch.task is not None:
                fill.drop(batch)  # at once: a newcomer of this very turn would be cancelled with it
                batch.task.cancel()
        if not fill.callers:
            loop = asyncio.get_running_loop()
            loop.call_soon(_pack, fill)
            loop.call_later(LINGER_S, self._release, fill)

    def _release(self, fill: Fill) -> None:
        if not fill.callers and self._fills.get(fill.key.frame) is fill:
            del self._fills[fill.key.frame]


def _pack(fill: Fill) -> None:
    """Hold what nobody waits for as text, as a store does. 10,000 ids of its caller's list take 0.6 MB; once they are
    gone the next request's may stand in their place, which the processor still has in its cache."""
    if not fill.callers and fill.frame is not None:
        fill.frame = fill.frame.packed()


def _on_the_way(request: Request, batch: Batch) -> Columns:
    """The columns that calls which rank may bring along. An ordinal campaign's list stays in one call, whose scores are
    its own, so only one that a call with metadata can hold."""
    apart = request.ordinal and len(batch.candidates) > METADATA_LIMIT
    return NO_COLUMNS if apart else request.columns
