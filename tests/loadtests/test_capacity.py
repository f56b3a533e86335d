"""The capacity model: its rules one by one, the figures it is fed with, and the runbook's table."""

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from gateway.adapters import codec
from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.model import Grade, on_grid
from gateway.core.plan import cold_calls, plan_ranking
from gateway.settings import CacheSettings
from loadtests.capacity.examples import BEGIN, END, LOADS, RUNBOOK, put_in, table
from loadtests.capacity.figures import CURVES, Figures, along, kept, of_file, of_report
from loadtests.capacity.model import (
    ACCOUNT_TPS,
    CAMPAIGN_TPS,
    CONNECTIONS,
    Load,
    Node,
    Prices,
    frame_bytes,
    need,
    partial_calls,
)

LINE = Figures("a line", {name: {0: 0.0, 10_000: 10.0} for name in CURVES})
"""A microsecond a candidate, whatever is asked."""

STEEP = Figures("cold costs twice", {**LINE.cpu_ms, "cold": {0: 0.0, 10_000: 20.0}})


@pytest.mark.parametrize(
    ("size", "value"), [(50, 1.0), (100, 1.0), (550, 2.0), (1_000, 3.0), (2_000, 5.0), (4_000, 9.0)]
)
def test_costs_follow_the_line_between_what_was_measured(size: int, value: float) -> None:
    """Flat below the smallest size, straight between two, drawn on beyond the largest."""
    assert along({100: 1.0, 1_000: 3.0, 2_000: 5.0}, size) == pytest.approx(value)


def test_calls_and_quotas() -> None:
    """1,000 rankings/s of 10,000 of which 5 % are cold are 50 x 21 calls/s; quotas count retries and hedges too."""
    of = need(Load(1_000, 10_000, 0.95), LINE)
    assert of.calls_per_ranking == pytest.approx(0.05 * 21)
    assert of.calls_per_s == pytest.approx(1_050)
    assert of.attempts_per_s == pytest.approx(1_155)
    assert (of.campaigns, of.accounts) == (3, 1)
    assert of.calls_under_way == pytest.approx(115.5)


@pytest.mark.parametrize("missing", [0, 1, 499, 500, 998, 1_500])
def test_calls_for_missing_candidates_are_those_of_the_plan(missing: int) -> None:
    """A ranking that lacks some candidates takes as many calls as the gateway's own plan beside a frame."""
    frame = of_items(2_000)
    planned = len(plan_ranking([f"new{number}" for number in range(missing)], frame).chunks) if missing else 0
    assert partial_calls(missing) == planned


def test_partial_rankings_cost_their_calls_alone() -> None:
    """One that lacks 400 of 10,000 is one call, and costs a warm one with a 21st of what makes a cold one dearer."""
    of = need(Load(100, 10_000, 0.0, partial_share=1.0, missing=400), STEEP)
    assert of.calls_per_s == pytest.approx(100)
    assert of.cpu_ms == pytest.approx(10.0 + 10.0 / 21)


def test_cores_pods_and_connections() -> None:
    """100 rankings/s of 10 ms are one core, which is two pods at 60 %, each with its connections to every node."""
    of = need(Load(100, 10_000, 1.0), LINE)
    assert (of.cores, of.pods, of.connections_per_node) == (pytest.approx(1.0), 2, 2 * CONNECTIONS)
    assert need(Load(60, 10_000, 1.0), LINE).pods == 1


@pytest.mark.parametrize(("candidates", "id_chars"), [(100, 9), (2_000, 5), (10_000, 12)])
def test_bytes_of_a_frame_are_those_of_the_codec(candidates: int, id_chars: int) -> None:
    """The formula gives what the codec writes, to the byte."""
    assert frame_bytes(candidates, id_chars) == len(codec.encode("key", of_items(candidates, id_chars)))


def test_memory_is_bounded_by_users_and_by_what_was_stored() -> None:
    """Frames at once: what was stored within their life, or those of the active users if these are fewer."""
    load = Load(1_000, 10_000, 0.9, kept_s=360)
    assert need(load, LINE).frames == pytest.approx(36_000)
    assert need(replace(load, users=5_000, frames_per_user=2), LINE).frames == pytest.approx(10_000)
    assert need(replace(load, users=1e9), LINE).frames == pytest.approx(36_000)


def test_nodes_are_bounded_by_memory_and_by_the_wire() -> None:
    """Slow wires take more nodes, small ones too, and frames in the pods take none."""
    load = Load(10_000, 10_000, 0.95)
    few = need(load, LINE, node=Node(gib=1_000, gbit_per_s=1_000)).cache_nodes
    assert few == 1
    assert need(load, LINE, node=Node(gib=10, gbit_per_s=1_000)).cache_nodes > few
    assert need(load, LINE, node=Node(gib=1_000, gbit_per_s=1)).cache_nodes > few
    alone = need(replace(load, shared_cache=False), LINE)
    assert (alone.cache_nodes, alone.connections_per_node, alone.cache_read_bytes_per_s) == (0, 0, 0)


def test_money_is_told_only_for_what_has_a_price() -> None:
    """Calls by their number over a day of the mean load, pods by the hour; without prices there is no money."""
    load = Load(1_000, 10_000, 0.95)
    assert need(load, LINE).money_per_day == {}
    money = need(load, LINE, Prices(per_1000_calls=2.0, per_core_hour=0.5, mean_share=0.5)).money_per_day
    assert money == {
        "calls": pytest.approx(1_155 * 0.5 * 86_400 / 1_000 * 2.0),
        "cores": pytest.approx(24 * need(load, LINE).pods * 0.5),
    }


@pytest.mark.parametrize(
    "wrong",
    [{"warm_share": 1.1}, {"warm_share": -0.1}, {"partial_share": 0.2}, {"candidates": 0}, {"missing": 10_001}],
)
def test_loads_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    """Shares beyond all rankings, none of them, or more missing than there are."""
    with pytest.raises(ValueError, match="must"):
        Load(**{"rankings_per_s": 1, "candidates": 10_000, "warm_share": 0.9, **wrong})


def test_more_load_never_needs_less() -> None:
    """Whatever is asked for more often, longer or colder needs at least as much of everything."""
    for load in LOADS:
        less = need(load, kept())
        for more in (
            replace(load, rankings_per_s=2 * load.rankings_per_s),
            replace(load, candidates=2 * load.candidates),
            replace(load, warm_share=load.warm_share / 2),
        ):
            of = need(more, kept())
            for name in ("calls_per_s", "campaigns", "accounts", "cores", "pods", "cache_bytes", "cache_nodes"):
                assert getattr(of, name) >= getattr(less, name), (load, more, name)


def test_a_report_of_the_benchmarks_feeds_it() -> None:
    """Curves come out of the report's part "rankings" for every size in it, and say which run they are of."""
    sizes = [
        {
            "candidates": size,
            "cold": {"gateway, memory": {"cpuMs": 9.0 * size}, "gateway, Valkey": {"cpuMs": 3.0 * size}},
            "warm": {"gateway, memory": {"cpuMs": 1.0 * size}, "gateway, Valkey": {"cpuMs": 2.0 * size}},
        }
        for size in (100, 1_000)
    ]
    figures = of_report(
        {
            "at": "2030-01-02T03:04:05+00:00",
            "commit": "abc",
            "machine": {"processor": "some processor"},
            "parts": {"rankings": {"state": "done", "found": {"sizes": sizes}}},
        }
    )
    assert [figures.at(curve, 500) for curve in ("cold", "warm, memory", "warm, Redis")] == [1_500.0, 500.0, 1_000.0]
    assert figures.source == "make bench of 2030-01-02, commit abc, some processor"
    assert of_file(orjson.loads(orjson.dumps(figures.told()))) == figures


def test_one_size_is_no_curve() -> None:
    """A report of one size alone is refused: nothing could be told of others."""
    with pytest.raises(ValueError, match="two sizes"):
        of_file({"from": "x", "cpuMs": {name: {"100": 1.0} for name in CURVES}})


def test_constants_are_those_of_the_gateway() -> None:
    """What the model takes for granted is what the settings have by default."""
    cache = CacheSettings()
    assert cache.connections_max == CONNECTIONS
    assert Load(1, 1, 1).kept_s == cache.fresh_s + cache.stale_s
    assert ACCOUNT_TPS % CAMPAIGN_TPS == 0


def test_the_runbook_has_the_table_of_the_kept_figures() -> None:
    """The committed table is what `python -m loadtests.capacity --write` would write now, up to 100,000 rankings/s."""
    text = RUNBOOK.read_text(encoding="utf-8")
    assert put_in(text, kept()) == text
    assert max(load.rankings_per_s for load in LOADS) == 100_000


def test_control_other_figures_write_another_table() -> None:
    """Figures that differ change the table, and nothing around it; a text without a place for it is refused."""
    text = f"before\n{BEGIN}\n\n{table(kept())}\n\n{END}\nafter\n"
    other = put_in(text, LINE)
    assert other != text
    assert other.startswith("before\n")
    assert other.endswith("\nafter\n")
    with pytest.raises(ValueError, match="no place"):
        put_in("nothing", LINE)


def of_items(count: int, id_chars: int = 9) -> Frame:
    """A frame as a cold ranking leaves it."""
    calls = cold_calls(count)
    return Frame(
        ids=Ids([f"{number:0{id_chars}}" for number in range(count)]),
        log=on_grid(np.linspace(2.0, -2.0, count)),
        grade=np.full(count, Grade.SHARP, dtype=np.uint8),
        source=(np.arange(count) % calls).astype(np.int32),
        recommendation_ids=tuple(f"{number:040}" for number in range(calls)),
        scale_id="0123456789abcdef",
        created_s=1.8e9,
    )
