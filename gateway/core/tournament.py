"""The head of one order out of many calls, without any arithmetic on scores: for campaigns that fail the audit.

Where scores depend on the list, only orders may be believed: that of each call, over the items of that call. So the
candidates are striped over chunks, every chunk is ordered by a call, and then the chunks' heads meet in calls of their
own. What such a call puts before the first head behind which its chunk has more is *settled*: in a consistent order
nothing can come before it any more. Then the next heads meet, until as many are settled as were asked for. The slots of
a meeting that no head needs (a slot is free) hold a sample of all the others: where scores depend on the list, strong
items that meet in company like that of the whole list come closest to the order of one unlimited call (top 48 of 5,000
on four made-up campaigns, from mild to absurd: 98, 95, 94 and 89 %; without company 96, 93, 91 and 79 %).

Up to `limit // HEADS_MIN` runs (chunks, or runs merged before) meet in one call; where there are more they meet in
groups first, all groups at once. If the order is consistent, the settled head is the exact one; if it is not, it is
what the campaign says of its best. The rest stands by how deep in its own chunk it came: chunks are stripes, so they
are like samples of the list. That is an estimate, and the ranking tells through which rank it is settled.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gateway.core.answer import Answer
from gateway.core.model import Grade, Ints
from gateway.core.plan import CALL_LIMIT, stripe

HEADS_MIN: Final = 10
"""Heads of every run that meet in a call: a storefront's page of 48 is settled by one call over the heads of up to 50
chunks, 25,000 candidates."""

SPARE: Final = 3.0
"""Standard deviations by which a run sends more heads than its share of what is missing."""

DEPTHS: Final = (100, 500, 2_000)
"""How many may be asked to be settled. In steps, so that neighbouring pages of a list are of one ranking; at most the
last, since every 300 or so are one more round trip."""

DEPTH_WHOLE: Final = 500
"""What is settled for a caller that takes the whole list: more than anybody looks at, at two round trips more."""

ROUNDS_MAX: Final = 16
"""Rounds after the first, each a round trip. 2,000 of 100,000 candidates take about ten."""


def depth_of(page_end: int | None) -> int:
    """How many a ranking settles for a page that ends there; None for the whole list."""
    if page_end is None:
        return DEPTH_WHOLE
    return next((depth for depth in DEPTHS if page_end <= depth), DEPTHS[-1])


@dataclass(slots=True, eq=False)
class _Run:
    """Places in order, as far as it is known: those of one chunk, or of the runs `below`, of which it is the merger.

    `head` is what is known of the order and has not been taken by the run above.
    """

    head: list[int] = field(default_factory=list)
    below: list["_Run"] = field(default_factory=list)

    @property
    def at_end(self) -> bool:
        """Whether nothing comes after the head."""
        return all(run.exhausted for run in self.below)

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing left of it."""
        return not self.head and self.at_end


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One call: the places asked for and, if runs meet in it, the heads that each of them sent."""

    run: _Run
    places: Ints
    heads: Sequence[tuple[_Run, list[int]]] = ()


class Tournament:
    """The state of one ranking: `lists` tells what to ask next, `take` what was answered. Places are of the candidates.

    `sizes` are those of the calls of every round so far. `call` tells, of every place, the call that it has its place
    from (-1: none), `grade` what is known of it.
    """

    def __init__(self, count: int, depth: int, limit: int = CALL_LIMIT) -> None:
        """For `count` candidates, the first `depth` of which are to be settled; a `limit` of 2 at least."""
        none = np.empty(0, dtype=np.intp)
        self.sizes: list[list[int]] = []
        self.call = np.full(count, -1, dtype=np.intp)
        self.grade = np.full(count, Grade.UNRANKED, dtype=np.uint8)
        self._depth, self._limit = min(depth, count), limit
        self._way = np.zeros(count)  # the share of its chunk that stands above a place
        self._calls = 0
        self._broken = False
        leaves = [_Run() for _ in range(math.ceil(count / limit))]
        chunks = stripe(np.arange(count), none, len(leaves))
        self._asked = [_Asked(leaf, chunk) for leaf, chunk in zip(leaves, chunks, strict=True)]
        self._root = _Run(below=_grouped(leaves, max(2, limit // HEADS_MIN)))

    @property
    def settled(self) -> int:
        """How many places of the head are settled."""
        return len(self._root.head)

    @property
    def over(self) -> bool:
        """Whether as much is settled as was asked for, or as there is."""
        return self.settled >= self._depth or self._root.at_end

    def lists(self) -> list[Ints]:
        """The calls of the next round, which may all be made at once; none when it is over, or cannot go on."""
        if self.sizes:
            stopped = self._broken or len(self.sizes) > ROUNDS_MAX
            self._asked = [] if stopped else list(self._due(self._root, self._next))
        if self._asked:
            self.sizes.append([len(one.places) for one in self._asked])
        return [one.places for one in self._asked]

    def take(self, answers: Sequence[Answer | None]) -> None:
        """What the calls of the round said, None for one that failed. A chunk that failed is left out; heads that could
        not meet end the tournament."""
        for asked, answer in zip(self._asked, answers, strict=True):
            if answer is not None:
                (self._merge if asked.run.below else self._order)(asked, answer)
            elif asked.run.below:
                self._broken = True
            self._calls += 1

    def order(self) -> list[int]:
        """All places that have a rank, the best first: the head as it is settled, and the rest by how deep in its own
        chunk it came."""
        rest = np.flatnonzero((self.grade <= Grade.FAINT) & (self.grade != Grade.SHARP))
        return [*self._root.head, *rest[np.lexsort((rest, self._way[rest]))].tolist()]

    @property
    def _next(self) -> int:
        """How many to settle next: the first page comes first, in as much company as there is room for."""
        return next((depth for depth in DEPTHS if self.settled < depth < self._depth), self._depth)

    def _due(self, run: _Run, need: int) -> Iterator[_Asked]:
        """The calls to make now on the way to `need` places in the head of a run."""
        if len(run.head) >= need or run.at_end:
            return
        below = [one for one in run.below if not one.exhausted]
        missing = need - len(run.head)
        shares = _shares(missing, len(below), self._limit)
        due = [call for one, share in zip(below, shares, strict=True) for call in self._due(one, share)]
        if due:
            yield from due
        elif len(below) == 1:  # an order of its own, which nobody contests
            self._up(run, below[0].head)
            below[0].head = []
            yield from self._due(run, need)
        else:
            heads = [(one, one.head[:share]) for one, share in zip(below, shares, strict=True)]
            yield _Asked(run, self._in_company([place for _, sent in heads for place in sent]), heads)

    def _in_company(self, heads: list[int]) -> Ints:
        """The heads and a sample of all other known candidates, in the caller's order, as one call would have them."""
        others = self.grade <= Grade.FAINT
        others[heads] = False
        places = np.flatnonzero(others)
        room = min(len(places), self._limit - len(heads))
        sample = places[np.linspace(0, len(places) - 1, room).astype(np.intp)]
        return np.sort(np.concatenate((np.array(heads, dtype=np.intp), sample)))

    def _order(self, asked: _Asked, answer: Answer) -> None:
        """The order of a chunk. Unknown items do not compete: they stand last, as the caller has them."""
        run, chunk = asked.run, asked.places
        places = chunk[answer.positions]
        known = places[~answer.unknown]
        self.grade[chunk] = Grade.EXCLUDED
        self.grade[places] = Grade.UNKNOWN
        self.grade[known] = Grade.RESOLVED
        self.call[chunk] = self._calls
        self._way[known] = (np.arange(len(known)) + 0.5) / max(1, len(known))
        run.head = known.tolist()

    def _merge(self, asked: _Asked, answer: Answer) -> None:
        """What is settled by a meeting of heads goes up; the others stay where they are."""
        owner = {place: one for one, sent in asked.heads for place in sent}
        order = [place for place in asked.places[answer.positions].tolist() if place in owner]
        gone = owner.keys() - set(order)  # excluded by now: an event has come in between
        self.grade[list(gone)] = Grade.EXCLUDED
        left = {  # of the runs that have more than their heads: how many of those are still to come
            one: len(sent) - len(gone.intersection(sent))
            for one, sent in asked.heads
            if len(sent) < len(one.head) or not one.at_end
        }
        settled = _until_one_runs_out(order, owner, left)
        done = gone.union(settled)
        for one, sent in asked.heads:
            one.head[: len(sent)] = [place for place in sent if place not in done]
        self.call[settled] = self._calls
        self._up(asked.run, settled)

    def _up(self, run: _Run, settled: list[int]) -> None:
        """Put places behind the head of a run; what comes to the root has its final place."""
        run.head += settled
        if run is self._root:
            self.grade[settled] = Grade.SHARP


def _shares(missing: int, runs: int, limit: int) -> list[int]:
    """How many heads each run sends to a meeting that has so many to settle: as many as are likely to be needed.

    The best `missing` of like samples are spread over them as a Poisson distribution says; a run that sends too few
    costs another meeting.
    """
    if runs == 1:
        return [missing]
    mean = missing / runs
    likely = math.ceil(mean + SPARE * (math.sqrt(mean) + 1.0))
    return [min(likely, limit // runs + (number < limit % runs)) for number in range(runs)]


def _until_one_runs_out(order: Sequence[int], owner: dict[int, _Run], left: dict[_Run, int]) -> list[int]:
    """The beginning of an order up to where the heads of a run end that has more."""
    settled: list[int] = []
    if 0 in left.values():
        return settled
    for place in order:
        settled.append(place)
        run = owner[place]
        if run in left:
            left[run] -= 1
            if not left[run]:
                break
    return settled


def _grouped(runs: list[_Run], together: int) -> list[_Run]:
    """Runs that can meet in one call: these, or mergers of them."""
    while len(runs) > together:
        groups = math.ceil(len(runs) / together)
        runs = [_Run(below=runs[group::groups]) for group in range(groups)]
    return runs
