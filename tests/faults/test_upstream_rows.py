"""Every upstream fault, from the wire to the caller: what it becomes if all calls meet it, one, or one of three.

Each of these is asked of a campaign of its own, so that no breaker or budget of one touches the next.
"""

import pytest

from gateway.core.plan import plan_ranking
from tests.faults.conftest import Start
from tests.faults.naive import Naive
from tests.faults.parts import (
    AMPLE_MS,
    LONG_MS,
    NATIVE,
    SHORT_MS,
    WIRE,
    WIRE_STATUS,
    Gateway,
    arn_of,
    gateway_tasks,
    items,
    whole,
)
from tests.faults.rows import ROWS, Row
from tests.support.canaries import MARK
from tests.support.model_upstream.faults import Faults, Rule
from tests.support.model_upstream.logits import ideal
from tests.support.model_upstream.plays import BENIGN, PLAYS
from tests.support.model_upstream.server import ModelUpstream

ONE_CALL = items(60)
THREE_CALLS = items(1_300)
WARM = items(5_000)

TRIES = 5
"""Merging what came by the deadline may itself miss it on a busy machine: the caller is told so, and asks again."""

CAMPAIGNS = {"none": {}, "wire": {}, "kind": {"fallback": "input-order"}, "once": {}, "some": {}}

every_row = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])


def hit(gateway: Gateway, campaign: str, rule: Rule, **narrower: object) -> None:
    """Let the fault meet attempts of this campaign from now on, and no others."""
    members = {name: getattr(rule, name) for name in rule.__struct_fields__}
    gateway.upstream.set(Faults(rules=(Rule(**{**members, **narrower}),)), arn_of(campaign))  # type: ignore[arg-type]


@every_row
async def test_what_becomes_of_it(start: Start, row: Row) -> None:
    """Whatever breaks: an error of the right kind or the fallback; whole after a retry; in part, flagged."""
    gateway = await start(**CAMPAIGNS)
    assert whole(await gateway.ask("once", "warm", WARM))  # calls that earn what a retry may cost
    tasks = gateway_tasks()
    deadline_ms = LONG_MS if row.ends else SHORT_MS
    await all_hit(gateway, row, deadline_ms)
    await with_fallback(gateway, row, deadline_ms)
    await one_attempt_hit(gateway, row, deadline_ms)
    await one_call_of_three_hit(gateway, row, LONG_MS if row.ends else AMPLE_MS)
    gateway.upstream.set()
    for campaign in CAMPAIGNS:
        gateway.upstream.set(None, arn_of(campaign))
    await gateway.at_rest(tasks)
    assert gateway.upstream.stats.strays == []


async def all_hit(gateway: Gateway, row: Row, deadline_ms: int) -> None:
    """Nothing can be ranked: the caller is told whose fault it is, by either door, after two attempts at most
    (and one more where a used connection ended)."""
    hit(gateway, "none", row.rule)
    said = await gateway.ask("none", "user-a", ONE_CALL, deadline_ms=deadline_ms)
    assert (said.status, said.slug in row.slugs) == (row.status, True), said
    assert gateway.upstream.stats.of(arn_of("none")).total <= (3 if row.retried else 1)
    if row.ends:  # the wire has no deadline of its own
        hit(gateway, "wire", row.rule)
        said = await gateway.ask("wire", "user-a", ONE_CALL, path=WIRE)
        assert said.status == WIRE_STATUS.get(row.slugs[0], row.status)


async def with_fallback(gateway: Gateway, row: Row, deadline_ms: int) -> None:
    """A campaign with a fallback gives the caller's own order, flagged; but not for what is the caller's own fault."""
    hit(gateway, "kind", row.rule)
    said = await gateway.ask("kind", "user-a", ONE_CALL, deadline_ms=deadline_ms)
    if row.fallback:
        assert (said.status, said.flag, said.order) == (200, "fallback", ONE_CALL)
    else:
        assert (said.status, said.slug in row.slugs) == (row.status, True)


async def one_attempt_hit(gateway: Gateway, row: Row, deadline_ms: int) -> None:
    """One attempt goes wrong, the next would not."""
    hit(gateway, "once", row.rule, first=1)
    said = await gateway.ask("once", "user-b", ONE_CALL, deadline_ms=deadline_ms)
    if row.once == "whole":
        assert whole(said), said
    elif row.once == "refused":
        assert (said.status, said.slug in row.slugs) == (row.status, True)
    hit(gateway, "once", row.rule, first=0)
    assert whole(await gateway.ask("once", "user-c", ONE_CALL, path=NATIVE, deadline_ms=LONG_MS))


async def one_call_of_three_hit(gateway: Gateway, row: Row, deadline_ms: int) -> None:
    """One of three calls is lost for good: the rest is ranked as it should be, and the answer is flagged."""
    plan = plan_ranking(THREE_CALLS)
    assert len(plan.chunks) == 3
    hit(gateway, "some", row.rule, holding=plan.items(plan.chunks[1])[-1])
    for number in range(TRIES):
        said = await gateway.ask("some", f"user-{number}", THREE_CALLS, deadline_ms=deadline_ms)
        if row.ends or said.status == 200:
            break
        assert (said.status, said.slug) == (504, "deadline")
    if not row.fallback:
        assert (said.status, said.slug in row.slugs) == (row.status, True)
        return
    lost = [entry["itemId"] for entry in said.body["personalizedRanking"] if "score" not in entry]
    assert said.flag == ("upstream" if row.ends else "deadline")
    assert set(lost) == set(plan.items(plan.chunks[1])) - {plan.universe[place] for place in plan.anchors.tolist()}


@every_row
async def test_a_naive_client_gets_it_wrong(upstream: ModelUpstream, plain: Naive, row: Row) -> None:
    """The positive control: the same fault, and an answer that is wrong, late, or none; healthy, it would be right."""
    arn = arn_of("none")
    assert await plain.outcome(arn, "user-a", ONE_CALL, patience_s=10.0) == "right"
    upstream.set(Faults(rules=(row.rule,)))
    outcome = await plain.outcome(arn, "user-a", ONE_CALL, patience_s=10.0 if row.ends else 0.3)
    assert outcome == row.naive
    if row.rule.play == "redirect":
        assert len(upstream.stats.strays) == 1
        assert upstream.stats.strays[0].startswith(b"/elsewhere")
        assert (b"user-a" in upstream.stats.strays[0]) == (row.naive == "right")
    if row.rule.play == "huge":
        assert outcome == "right"  # it has read all the 64 MB


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS if not row.retried])
async def test_a_naive_retry_repeats_what_cannot_help(upstream: ModelUpstream, plain: Naive, row: Row) -> None:
    """The positive control of "no retry": a loop that tries again whatever happened asks three times for nothing."""
    upstream.set(Faults(rules=(row.rule,)))
    await plain.stubborn(arn_of("none"), "user-a", ONE_CALL)
    assert upstream.stats.of(arn_of("none")).total == 3


@pytest.mark.parametrize("play", BENIGN)
async def test_unusual_and_yet_right(start: Start, play: str) -> None:
    """Answers in chunks, after 1xx, or with the end of their connection are taken as the good ones they are."""
    gateway = await start(demo={})
    gateway.upstream.set(Faults(rules=(Rule(play=play, seconds=0.001),)))
    tasks = gateway_tasks()
    for number in range(5):
        said = await gateway.ask("demo", f"user-{number}", THREE_CALLS)
        assert whole(said)
    await gateway.at_rest(tasks)


async def test_what_is_left_over_is_nobodys_answer(start: Start) -> None:
    """Bytes behind an answer are never taken for the next user's."""
    gateway = await start(demo={})
    gateway.upstream.set(Faults(rules=(Rule(play="left-over"),)))
    for number in range(10):
        said = await gateway.ask("demo", f"user-{number}", ONE_CALL)
        assert not whole(said) or said.order == ideal(f"{MARK}-user-{number}", ONE_CALL)


async def test_scores_that_are_missing(start: Start) -> None:
    """Items without a score are unknown to the model: still there, each once."""
    gateway = await start(demo={})
    gateway.upstream.set(Faults(rules=(Rule(play="missing-scores"),)))
    said = await gateway.client.post(
        NATIVE, json={"campaign": "demo", "userId": "u", "inputList": ONE_CALL, "explain": True}
    )
    entries = (await said.json())["personalizedRanking"]
    assert sorted(entry["itemId"] for entry in entries) == sorted(ONE_CALL)
    assert {entry["source"] for entry in entries} == {"unknown"}


def test_every_play_has_its_row() -> None:
    """No fault of the endpoint is left untested."""
    elsewhere = {*BENIGN, "left-over", "missing-scores"}
    assert {row.rule.play for row in ROWS} | elsewhere == set(PLAYS)
