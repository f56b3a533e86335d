"""One round: plan the calls for what is wanted, make them, put them on one scale, bridge them if they need it.

Or one tournament, for a campaign whose scores may not be put on one scale.
"""

from dataclasses import dataclass, replace
from random import Random

from gateway.core.answer import Answer
from gateway.core.attempt import Purpose
from gateway.core.bridge import Bridge, plan_bridges
from gateway.core.budget import Budget
from gateway.core.by_rank import frame_of_tournament
from gateway.core.calibration import ERROR_MAX, calibrate
from gateway.core.errors import CallerError
from gateway.core.frame import Frame
from gateway.core.learning import frame_of
from gateway.core.model import Ints, Subject, taken
from gateway.core.plan import CALL_LIMIT, METADATA_LIMIT, TOGETHER_MAX, Plan, plan_ranking, together_is_cheaper
from gateway.core.routing import Campaign
from gateway.core.tournament import Tournament
from gateway.ports import TRACE, Clock
from gateway.service.fanout import Fans
from gateway.service.gates import Gates
from gateway.service.outcomes import FanOut
from gateway.service.result import Columns, Cost, Played, Round
from gateway.service.turns import Turns


@dataclass(frozen=True, slots=True)
class Rounds:
    """Makes rounds."""

    fans: Fans
    gates: Gates
    clock: Clock
    random: Random
    turns: Turns

    async def make(
        self,
        campaign: Campaign,
        subject: Subject,
        wanted: list[str],
        frame: Frame | None,
        near: Ints | None,
        budget: Budget,
        cost: Cost,
        columns: Columns,
        *,
        may_drift: bool,
    ) -> Round:
        """Learn the wanted items, on the scale of `frame` if there is one (`near`: its rows of the list that is to be
        ranked); what it costs is added to `cost`. Where that saves calls, they bring the metadata of `columns` along.

        If the frame turns out to have drifted and `may_drift`, the new calls, which are true among themselves, begin a
        new scale. A drift that may not be acted on makes the round unsound.
        """
        created_s = self.clock.wall_s()
        with cost.cpu:
            plan = plan_ranking(wanted, frame, near=near)
            together = _together(plan, frame, near, columns)
        described = None
        if together is not None:
            described = await self._described(campaign, subject, together, budget, cost, columns.names)
        if described is not None:
            plan, fan, names = *described, columns.names
        else:
            fan, names = await self._calls(campaign, subject, plan.lists(), budget, cost), ()
        with TRACE.get().step("merge") as step:
            await self.turns.mine()
            with cost.cpu:
                answers = fan.answers
                calibration = calibrate(plan, answers)
            bridges: list[Bridge] = []
            bridged: FanOut[Answer] = FanOut([])
            if calibration.error > ERROR_MAX and budget.allows_attempt(self.clock.now_s()):
                bridges = plan_bridges(plan, answers)
                lists = [taken(plan.universe, bridge.chunk) for bridge in bridges]
                bridged = await self._calls(
                    campaign, subject, lists, budget, cost, purpose="bridge", earlier=len(plan.chunks)
                )
                cost.usage.bridges += len(bridges)
                calibration = calibrate(plan, answers, bridges, bridged.answers)
            drifted = calibration.drifted and may_drift
            if drifted:
                with cost.cpu:
                    cost.usage.drifts += 1
                    plan = replace(plan, known_log=None)
                    calibration = calibrate(plan, answers, bridges, bridged.answers)
            scale_id = f"{self.random.getrandbits(64):016x}" if frame is None or drifted else frame.scale_id
            await self.turns.next_step(len(wanted))
            with cost.cpu:
                learnt = frame_of(plan, calibration, answers, scale_id=scale_id, created_s=created_s)
            step.note("rerank.bridges", len(bridges))
            step.note("rerank.drifted", drifted)
            return Round(plan, fan, calibration, bridges, drifted, learnt, names, [*fan.log, *bridged.log])

    async def _described(
        self, campaign: Campaign, subject: Subject, plan: Plan, budget: Budget, cost: Cost, names: tuple[str, ...]
    ) -> tuple[Plan, FanOut[Answer]] | None:
        """Calls that bring metadata along, and their plan, whose bridges will bring none; None if the service refuses
        them: whoever asked for the metadata will be told so when asking for it alone, and nobody else."""
        try:
            fan = await self._calls(campaign, subject, plan.lists(), budget, cost, names)
        except CallerError:
            return None
        return replace(plan, limit=CALL_LIMIT), fan

    async def play(
        self, campaign: Campaign, subject: Subject, wanted: list[str], depth: int, budget: Budget, cost: Cost
    ) -> Played:
        """Rank the wanted items by the orders of the calls alone, the first `depth` of them for certain."""
        created_s = self.clock.wall_s()
        tournament = Tournament(len(wanted), depth)
        whole: FanOut[Answer] = FanOut([])
        while (places := tournament.lists()) and (not whole.outcomes or budget.allows_attempt(self.clock.now_s())):
            earlier = len(whole.outcomes)
            purpose: Purpose = "playoff" if earlier else "plan"
            lists = [taken(wanted, chunk) for chunk in places]
            fan = await self._calls(campaign, subject, lists, budget, cost, purpose=purpose, earlier=earlier)
            whole.outcomes += fan.outcomes
            whole.log += fan.log
            await self.turns.mine()
            with cost.cpu:
                tournament.take(fan.answers)
        with cost.cpu:
            ids = ["" if answer is None else answer.recommendation_id for answer in whole.answers]
            scale_id = f"{self.random.getrandbits(64):016x}"
            learnt = frame_of_tournament(tournament, wanted, ids, scale_id=scale_id, created_s=created_s)
        sound = tournament.over and not whole.failures
        return Played(whole, tournament.sizes, tournament.settled, learnt, sound)

    async def _calls(
        self,
        campaign: Campaign,
        subject: Subject,
        lists: list[list[str]],
        budget: Budget,
        cost: Cost,
        names: tuple[str, ...] = (),
        *,
        purpose: Purpose = "plan",
        earlier: int = 0,
    ) -> FanOut[Answer]:
        gate = self.gates.of(campaign)
        fan = await self.fans.fan_out(gate, subject, lists, budget, names, purpose=purpose, earlier=earlier)
        cost.usage.count(fan)
        cost.timing.queue_s = max(cost.timing.queue_s, fan.queue_s)
        return fan


def _together(apart: Plan, frame: Frame | None, near: Ints | None, columns: Columns) -> Plan | None:
    """The plan of calls that rank and describe at once, if those are fewer."""
    if not columns.lacking or apart.wanted > TOGETHER_MAX:
        return None
    together = plan_ranking(apart.universe[: apart.wanted], frame, METADATA_LIMIT, near)
    return together if together_is_cheaper(apart, together, columns.lacking) else None
