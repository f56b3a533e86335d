"""The audit of a campaign: asks straight upstream, one call after the other, within a budget of calls.

What matters most comes first: one round of lists, then those with a filter, then the odd lists, then more rounds
(time passes between them, so drift can show), then calls for the latencies. What the budget does not reach is None in
the findings.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.core.audit.heard import Heard, RawAnswer, Refusal, hear
from gateway.core.audit.lists import AGAIN, OTHERS, WHOLE, made_up, other_lists, padded, whole_list
from gateway.core.audit.probes import (
    Duplicates,
    Latency,
    Scores,
    Unknown,
    describe_duplicates,
    describe_latency,
    describe_scores,
    describe_unknown,
)
from gateway.core.audit.ratios import Comparison, Round, Verdict, compare, compare_round, judge
from gateway.core.errors import Throttled, UpstreamError
from gateway.core.plan import CALL_LIMIT

CALLS_MIN: Final = len(OTHERS) + 2
"""One round: the whole list, the others, the whole one again."""

ROUNDS_MAX: Final = 3
"""Two could not be told from chance, more cost calls."""

FILTERED_CALLS: Final = 2
"""The whole list and a part of it: filtered lists must agree with each other."""

PROBED: Final = 20
"""Known items in the lists with made-up and repeated ones: enough to see an order."""

ODD_ONES: Final = 3
"""Made-up and repeated items in those lists."""

LATENCY_CALLS: Final = 10
"""Calls of each size for the latencies, if the budget has them: a median of ten is worth reading."""

CALL_WITHIN_S: Final = 30.0
"""As long as any deadline of the gateway may be."""

THROTTLED_PAUSE_S: Final = 1.0
THROTTLED_MAX: Final = 5
"""Refusals for the rate in a row, after which the campaign is too busy to be audited."""


class RawRanker(Protocol):
    """One GetPersonalizedRanking call for the user of the audit, once, whose answer nobody has checked."""

    async def ask(self, items: Sequence[str], *, filtered: bool = False) -> RawAnswer | Refusal:
        """What the campaign said; with the filter of the audit if `filtered`.

        Raises `Throttled` for the rate, another `GatewayError` if the campaign cannot be reached or called.
        """
        ...


class AuditFailed(Exception):
    """There is nothing to audit: the campaign does not answer plain calls. The message is for people."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """The whole list with the filter: how many came, the sum of their scores, and the ratios in a smaller list."""

    asked: int
    came: int
    total: float
    ratios: Comparison


@dataclass(slots=True)
class Findings:
    """What was found. Members of several kinds hold what was found, or how it was refused, or None if not asked."""

    items: int
    calls: int = 0
    throttled: int = 0
    verdict: Verdict = Verdict.UNRESOLVED
    faults: frozenset[str] = frozenset()
    rounds: list[Round] = field(default_factory=list)
    scores: Scores | None = None
    latencies: list[Latency] = field(default_factory=list)
    unknown: Unknown | Refusal | None = None
    duplicates: Duplicates | Refusal | None = None
    empty: int | Refusal | None = None
    at_limit: int | Refusal | None = None
    over_limit: int | Refusal | None = None
    filtered: Filtered | Refusal | None = None


async def audit(ranker: RawRanker, items: Sequence[str], *, calls_max: int, with_filter: bool = False) -> Findings:
    """Audit with these distinct items (at least `lists.ITEMS_MIN`) and at most this many calls (at least CALLS_MIN).

    Raises `AuditFailed` if plain calls are refused or not answered, `GatewayError` if the campaign cannot be reached or
    called.
    """
    return await _Audit(ranker, items, calls_max).run(with_filter=with_filter)


class _Audit:
    """The state of one audit: the budget, and what was heard so far."""

    def __init__(self, ranker: RawRanker, items: Sequence[str], calls_max: int) -> None:
        self._ranker = ranker
        self._items = items
        self._left = calls_max
        self._plain: list[Heard] = []
        self._faults: set[str] = set()
        self._found = Findings(items=len(items))

    async def run(self, *, with_filter: bool) -> Findings:
        found = self._found
        whole = whole_list(self._items)
        first = await self._heard(whole)
        lists = other_lists(self._items, whole, first)
        found.rounds.append(compare_round(await self._round(first, whole, lists), None))
        if with_filter and self._left >= FILTERED_CALLS:
            found.filtered = await self._with_filter(whole, lists["strong"])
        await self._odd_lists(whole, (list(first.scored) or whole)[:PROBED])
        while self._left >= CALLS_MIN and len(found.rounds) < ROUNDS_MAX:
            heard = await self._round(await self._heard(whole), whole, lists)
            found.rounds.append(compare_round(heard, first))
        await self._time(whole, lists["few"])
        found.scores = describe_scores(self._plain)
        found.faults = frozenset(self._faults)
        ratios = found.filtered.ratios if isinstance(found.filtered, Filtered) else None
        found.verdict = judge(found.rounds, ratios, found.faults, found.scores.decimals)
        return found

    async def _ask(self, items: Sequence[str], *, filtered: bool = False) -> RawAnswer | Refusal:
        """One call, again after a pause if it came too fast; every attempt is spent."""
        for _ in range(THROTTLED_MAX):
            if not self._left:
                break
            self._left -= 1
            self._found.calls += 1
            try:
                async with asyncio.timeout(CALL_WITHIN_S):
                    return await self._ranker.ask(items, filtered=filtered)
            except Throttled:
                self._found.throttled += 1
                await asyncio.sleep(THROTTLED_PAUSE_S)
            except TimeoutError:
                raise AuditFailed(f"the campaign did not answer within {CALL_WITHIN_S:.0f} s") from None
        raise AuditFailed("the campaign refuses calls for their rate; try again when it is quieter")

    async def _probe(self, items: Sequence[str]) -> RawAnswer | Refusal:
        """A call with an odd list: whatever becomes of it is a finding, even if it is no answer."""
        try:
            return await self._ask(items)
        except UpstreamError as error:
            return Refusal(0, "", str(error), 0.0)

    async def _heard(self, items: Sequence[str], *, filtered: bool = False) -> Heard:
        """A call that must be answered."""
        answer = await self._ask(items, filtered=filtered)
        if isinstance(answer, Refusal):
            raise AuditFailed(f"the campaign refused {len(items)} items: {answer.code}: {answer.message}")
        heard = hear(items, answer, filtered=filtered)
        self._faults |= heard.faults
        if not filtered:
            self._plain.append(heard)
        return heard

    async def _round(self, first: Heard, whole: Sequence[str], lists: dict[str, list[str]]) -> dict[str, Heard]:
        heard = {WHOLE: first}
        for name in OTHERS:
            heard[name] = await self._heard(lists[name])
        heard[AGAIN] = await self._heard(whole)
        return heard

    async def _odd_lists(self, whole: Sequence[str], known: list[str]) -> None:
        """Lists that the gateway never sends: made-up items in front, repeated ones, none, and too many."""
        found = self._found
        strange = made_up(ODD_ONES)
        if self._left:
            answer = await self._probe([*strange, *known])
            if isinstance(answer, RawAnswer):
                found.unknown = describe_unknown(hear([*strange, *known], answer, filtered=False), strange)
            else:
                found.unknown = answer
        if self._left:
            repeated = [*known, *known[:ODD_ONES]]
            answer = await self._probe(repeated)
            found.duplicates = describe_duplicates(repeated, answer) if isinstance(answer, RawAnswer) else answer
        if self._left:
            found.empty = _entries(await self._probe([]))
        if len(whole) == CALL_LIMIT:
            found.at_limit = len(self._plain[0].items)
        elif self._left:
            found.at_limit = _entries(await self._probe(padded(whole, CALL_LIMIT)))
        if self._left:
            found.over_limit = _entries(await self._probe(padded(whole, CALL_LIMIT + 1)))

    async def _with_filter(self, whole: Sequence[str], part: Sequence[str]) -> Filtered | Refusal:
        answer = await self._ask(whole, filtered=True)
        if isinstance(answer, Refusal):
            return answer
        heard = hear(whole, answer, filtered=True)
        self._faults |= heard.faults
        ratios = compare(heard, await self._heard(part, filtered=True))
        return Filtered(len(whole), len(heard.items), sum(heard.scored.values()), ratios)

    async def _time(self, whole: Sequence[str], few: Sequence[str]) -> None:
        """More calls of both sizes while there are any; the first call, which opened the connection, is left out."""
        sizes = [len(whole), len(few)]
        taken = {size: [heard.latency_ms for heard in self._plain[1:] if heard.asked == size] for size in sizes}
        for items in (whole, few) * LATENCY_CALLS:
            if self._left and len(taken[len(items)]) < LATENCY_CALLS:
                taken[len(items)].append((await self._heard(items)).latency_ms)
        summed = [describe_latency(size, taken[size]) for size in sorted(taken)]
        self._found.latencies = [one for one in summed if one is not None]


def _entries(answer: RawAnswer | Refusal) -> int | Refusal:
    return len(answer.items) if isinstance(answer, RawAnswer) else answer
