"""What the audit concludes: softmaxes pass however peaked, a dependence on the list fails, drift is told apart."""

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.audit.heard import Heard, RawAnswer, hear
from gateway.core.audit.lists import AGAIN, OTHERS, WHOLE, other_lists, whole_list
from gateway.core.audit.ratios import DECIMALS, GAP_MAX, Round, Verdict, compare, compare_round, drifted, judge
from tests.support.softmax_ranker import respond

Campaign = Callable[[Sequence[str], int], dict[str, float]]
"""The log scores with which a call is answered: by its list, and by its number among all calls."""

CALLS_OF_ROUND = len(OTHERS) + 2

three_rounds = settings(max_examples=15)
"""Of whole audits, 21 calls each."""

sigmas = st.floats(0.0, 60.0)
plain_sigmas = st.floats(0.0, 3.0)
seeds = st.integers(0, 1_000)
sizes = st.integers(10, 1_200)


def named(count: int) -> list[str]:
    """That many items."""
    return [f"i{number}" for number in range(count)]


def normal(items: Sequence[str], sigma: float, seed: int) -> dict[str, float]:
    """Normal log scores."""
    draws = np.random.Generator(np.random.PCG64(seed)).standard_normal(len(items)) * sigma
    return dict(zip(items, draws.tolist(), strict=True))


def answered(asked: Sequence[str], logits: dict[str, float], decimals: int = DECIMALS) -> Heard:
    """The answer of one call, as the service gives it, or with fewer decimals."""
    rows = [(item, None if score is None else round(score, decimals)) for item, score in respond(asked, logits)]
    return hear(asked, RawAnswer([item for item, _ in rows], [score for _, score in rows], 1.0), filtered=False)


def audited(items: Sequence[str], campaign: Campaign, rounds: int = 3, decimals: int = DECIMALS) -> list[Round]:
    """All rounds of an audit, with the campaign's log scores of each call."""
    number = 0

    def ask(asked: Sequence[str]) -> Heard:
        nonlocal number
        number += 1
        return answered(asked, campaign(asked, number - 1), decimals)

    whole = whole_list(items)
    first = ask(whole)
    lists = other_lists(items, whole, first)
    found = []
    for nth in range(rounds):
        heard = {WHOLE: ask(whole) if nth else first}
        heard |= {name: ask(lists[name]) for name in OTHERS}
        heard[AGAIN] = ask(whole)
        found.append(compare_round(heard, first if nth else None))
    return found


def verdict(rounds: Sequence[Round]) -> Verdict:
    """The verdict on rounds alone."""
    return judge(rounds, None, frozenset(), DECIMALS)


@given(sizes, sigmas, seeds)
def test_a_softmax_never_shows_a_gap(count: int, sigma: float, seed: int) -> None:
    """Scores of one softmax, rounded to 7 decimals, have no gap in any list, however peaked they are."""
    items = named(count)
    logits = normal(items, sigma, seed)
    (one,) = audited(items, lambda *_: logits, rounds=1)
    assert [comparison.gap for comparison in one.others.values()] == [0.0] * len(OTHERS)
    assert verdict([one]) in (Verdict.TRUSTED, Verdict.UNRESOLVED)


@three_rounds
@given(st.integers(100, 1_200), plain_sigmas, seeds)
def test_a_softmax_of_usual_spread_is_trusted(count: int, sigma: float, seed: int) -> None:
    """With tastes as campaigns have them, a softmax is trusted and nothing drifts."""
    items = named(count)
    logits = normal(items, sigma, seed)
    rounds = audited(items, lambda *_: logits)
    assert verdict(rounds) is Verdict.TRUSTED
    assert drifted(rounds) == 0


def crowded(logits: dict[str, float], places: dict[str, float], strength: float) -> Campaign:
    """Items lose to others of their kind in the same list, as a transformer over the list might have it."""

    def campaign(asked: Sequence[str], _: int) -> dict[str, float]:
        mean = float(np.mean([places[item] for item in asked]))
        return {item: logits[item] - strength * places[item] * mean for item in asked}

    return campaign


@three_rounds
@given(st.integers(200, 1_200), st.floats(0.3, 3.0), seeds, st.floats(0.5, 2.0))
def test_a_dependence_on_the_list_is_found(count: int, sigma: float, seed: int, strength: float) -> None:
    """A campaign whose log scores depend on what else is in the list fails, and is told from drift."""
    items = named(count)
    logits = normal(items, sigma, seed)
    # what strong items have in common is what they crowd each other by
    kinds = {item: logits[item] / sigma for item in items}
    rounds = audited(items, crowded(logits, kinds, strength))
    assert verdict(rounds) is Verdict.LIST_DEPENDENT
    assert drifted(rounds) == 0


@three_rounds
@given(seeds, st.integers(1, 2))
def test_drift_between_rounds_is_no_dependence(seed: int, before: int) -> None:
    """A model that is replaced between two rounds drifts, and its merge is still to be trusted."""
    items = named(800)
    models = normal(items, 2.0, seed), normal(items, 2.0, seed + 5_000)
    rounds = audited(items, lambda _, number: models[number >= before * CALLS_OF_ROUND])
    assert verdict(rounds) is Verdict.TRUSTED
    assert drifted(rounds) == len(rounds) - before


@three_rounds
@given(seeds, st.integers(1, CALLS_OF_ROUND - 1))
def test_drift_inside_a_round_is_no_dependence(seed: int, at: int) -> None:
    """A model that is replaced inside a round spoils that round alone: the others decide, or nobody can."""
    items = named(800)
    models = normal(items, 2.0, seed), normal(items, 2.0, seed + 5_000)
    rounds = audited(items, lambda _, number: models[number >= CALLS_OF_ROUND + at])
    assert verdict(rounds) is Verdict.TRUSTED
    assert drifted(rounds) == 2
    assert verdict(rounds[1:2]) is Verdict.UNSTEADY


@three_rounds
@given(seeds, st.floats(0.1, 1.0))
def test_answers_that_always_move_are_never_trusted(seed: int, noise: float) -> None:
    """A campaign that adds chance to every answer is unsteady: no merge of its calls can be right."""
    items = named(800)
    logits = normal(items, 2.0, seed)

    def campaign(asked: Sequence[str], number: int) -> dict[str, float]:
        chance = normal(items, noise, 10_000 + seed * 100 + number)
        return {item: logits[item] + chance[item] for item in asked}

    assert verdict(audited(items, campaign)) is Verdict.UNSTEADY


@three_rounds
@given(seeds)
def test_two_models_that_take_turns_are_no_dependence(seed: int) -> None:
    """Two models behind one ARN look like a dependence on the list in some round; not in all, so it is none."""
    items = named(800)
    models = normal(items, 2.0, seed), normal(items, 2.0, seed + 5_000)
    rounds = audited(items, lambda _, number: models[number in (2, 9, 13)])
    assert [one.steady.holds for one in rounds] == [True, False, True]
    assert [one.holds for one in rounds] == [False, False, True]
    assert verdict(rounds) is Verdict.UNSTEADY


@given(st.floats(1.1 * GAP_MAX, 1.0), plain_sigmas, seeds)
def test_a_gap_is_as_large_as_the_change(change: float, sigma: float, seed: int) -> None:
    """If one item's log score changes, the gap is that change but for the rounding, and never more."""
    items = named(100)
    logits = normal(items, sigma, seed)
    item = max(items, key=lambda one: logits[one])
    comparison = compare(answered(items, logits), answered(items, {**logits, item: logits[item] + change}))
    assert comparison.gap <= change + 1e-6
    assert comparison.gap >= change - 2 * GAP_MAX / 20
    assert comparison.holds == (comparison.gap <= GAP_MAX)


def test_noise_of_single_precision_is_trusted() -> None:
    """A service that computes in single precision moves scores by less than anybody could mind."""
    items = named(800)
    logits = normal(items, 2.0, 1)

    def campaign(asked: Sequence[str], number: int) -> dict[str, float]:
        chance = normal(items, 1e-5, number)
        return {item: logits[item] + chance[item] for item in asked}

    assert verdict(audited(items, campaign)) is Verdict.TRUSTED


def test_nothing_scored_is_unresolved() -> None:
    """Items that the model does not know prove nothing."""
    assert verdict(audited(named(600), lambda *_: {})) is Verdict.UNRESOLVED


def test_filtered_lists_must_agree_too() -> None:
    """A gap between two lists with the filter alone is a dependence on the list."""
    items = named(800)
    logits = normal(items, 1.0, 1)
    rounds = audited(items, lambda *_: logits)
    half = items[:400]
    filtered = compare(answered(items[:500], logits), answered(half, crowded(logits, logits, 1.0)(half, 0)))
    assert judge(rounds, filtered, frozenset(), DECIMALS) is Verdict.LIST_DEPENDENT
    assert judge(rounds, rounds[0].others["few"], frozenset(), DECIMALS) is Verdict.TRUSTED


def test_coarse_scores_are_called_so() -> None:
    """Scores with four decimals are no dependence on the list, and no better for the merge."""
    items = named(800)
    logits = normal(items, 2.0, 1)
    rounds = audited(items, lambda *_: logits, decimals=4)
    assert judge(rounds, None, frozenset(), 4) is Verdict.COARSE


def test_broken_answers_are_never_trusted() -> None:
    """Whatever the ratios, answers that the gateway would refuse cannot be merged."""
    items = named(800)
    rounds = audited(items, lambda *_: normal(items, 1.0, 1))
    assert judge(rounds, None, frozenset({"a fault"}), DECIMALS) is Verdict.BROKEN


@given(sizes, sigmas, seeds, st.integers(0, 300))
def test_the_lists(count: int, sigma: float, seed: int, unknown: int) -> None:
    """Every list has distinct items of the file and at most 500, and all share those that are compared."""
    items = named(count)
    logits = normal(items[unknown:], sigma, seed)
    whole = whole_list(items)
    lists = other_lists(items, whole, answered(whole, logits))
    assert len(set(whole)) == len(whole) == min(500, count)
    for asked in lists.values():
        assert len(set(asked)) == len(asked) <= 500
        assert set(asked) <= set(items)
    assert set(lists) == set(OTHERS)
    assert set(lists["few"]) | set(lists["strong"]) | set(lists["weak"]) <= set(whole)
    if unknown == 0 and count > 100 and sigma <= 3:
        shared = set.intersection(*map(set, lists.values()), set(whole))
        assert len(shared) >= 20
        assert len(lists["few"]) == 50 or count < 100
