"""What a ranking request is, and what came of it: values that the doors render, numbers included."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, Final

import numpy as np

from gateway.core.answer import Answer
from gateway.core.attempt import Attempt
from gateway.core.bridge import Bridge
from gateway.core.budget import Budget
from gateway.core.calibration import ERROR_MAX, Calibration
from gateway.core.errors import DeadlineExceeded, Unavailable, UpstreamError
from gateway.core.frame import Frame, OwnList
from gateway.core.keys import list_digest
from gateway.core.model import Floats, Grade, Grades, Ints, Subject, filled
from gateway.core.ordering import Ranking
from gateway.core.plan import Plan
from gateway.core.routing import Campaign, Merge
from gateway.core.tournament import depth_of
from gateway.core.values import dataclass
from gateway.ports import Clock
from gateway.service.outcomes import FanOut


class Degraded(StrEnum):
    """Why an answer is not the full promise. Never silent: every answer carries one of these, or none."""

    CALIBRATION = "calibration"
    """All was scored, but the scale that joins the calls is less certain than it should be."""
    UNSETTLED = "unsettled"
    """An ordinal campaign: all was ranked, but not as much of the head could be settled as the page needs."""
    UPSTREAM = "upstream"
    """Some calls failed; their candidates stand unranked at the end."""
    DEADLINE = "deadline"
    """Some calls did not answer in time; their candidates stand unranked at the end."""
    STALE = "stale"
    """Upstream failed; the ranking is the one of a stale frame."""
    FALLBACK = "fallback"
    """Upstream failed; the candidates stand in the caller's order."""
    METADATA = "metadata"
    """The ranking is whole, but some of its items come without the metadata that was asked for."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The metadata columns that a request wants, and how many items it may have to ask them for, if that is known."""

    names: tuple[str, ...] = ()
    lacking: int = 0


NO_COLUMNS: Final = Columns()


@dataclass(frozen=True, slots=True)
class Request:
    """One ranking: whose, of what, by when. `items` is the caller's list as it came, repetitions included; `page_end`
    is how many of the ranked ones the caller will see, None for all."""

    campaign: Campaign
    subject: Subject
    items: list[str] = field(repr=False)
    budget: Budget
    page_end: int | None = None
    columns: Columns = NO_COLUMNS

    @property
    def ordinal(self) -> bool:
        """Whether only orders of calls may be believed, not scores."""
        return self.campaign.merge == "ordinal"

    @property
    def depth(self) -> int:
        """How many of the head an ordinal ranking settles."""
        return depth_of(self.page_end)

    def kept_for(self, candidates: list[str]) -> tuple[str, ...]:
        """What a frame is kept for beside its subject: nothing, but for an ordinal campaign the very list."""
        return ("ordinal", str(self.depth), list_digest(candidates)) if self.ordinal else ()


@dataclass(slots=True)
class Usage:
    """What a ranking cost. `upstream_calls` counts every attempt that was sent: each is billed."""

    candidates: int = 0
    cached: int = 0
    unknown: int = 0
    excluded: int = 0
    unranked: int = 0
    upstream_calls: int = 0
    retries: int = 0
    hedges: int = 0
    bridges: int = 0
    drifts: int = 0

    def count(self, fan: FanOut[Any]) -> None:
        """Add what a set of calls cost."""
        sent = fan.sent()
        self.upstream_calls += len(sent)
        self.retries += sent.count("retry")
        self.hedges += sent.count("hedge")

    def add(self, other: "Usage") -> None:
        """Add what another ranking for the same answer cost."""
        self.upstream_calls += other.upstream_calls
        self.retries += other.retries
        self.hedges += other.hedges
        self.bridges += other.bridges
        self.drifts += other.drifts

    def add_items(self, other: "Usage") -> None:
        """Add the items of another ranking, of a list of its own."""
        self.candidates += other.candidates
        self.cached += other.cached
        self.unknown += other.unknown
        self.excluded += other.excluded
        self.unranked += other.unranked


@dataclass(slots=True)
class Timing:
    """Seconds by stage; `queue_s` is the longest wait of a call for its permit, and part of `upstream_s`."""

    clock: Clock = field(repr=False)
    cache_s: float = 0.0
    queue_s: float = 0.0
    upstream_s: float = 0.0
    cpu_s: float = 0.0

    def stage(self, name: str) -> "Stage":
        """Add the time spent in a `with` block to the stage `name`."""
        return Stage(self, name)

    def add(self, other: "Timing") -> None:
        """Add the times of what came after."""
        self.cache_s += other.cache_s
        self.queue_s = max(self.queue_s, other.queue_s)
        self.upstream_s += other.upstream_s
        self.cpu_s += other.cpu_s

    def add_beside(self, other: "Timing") -> None:
        """Add the times of what was done meanwhile: waits overlap, work does not."""
        self.cache_s = max(self.cache_s, other.cache_s)
        self.queue_s = max(self.queue_s, other.queue_s)
        self.upstream_s = max(self.upstream_s, other.upstream_s)
        self.cpu_s += other.cpu_s


class Stage:
    """A stretch of a ranking whose time is added to a stage. A class, not a generator: a ranking has a dozen of them,
    and they take half as long."""

    __slots__ = ("_began_s", "_name", "_now_s", "_timing")

    def __init__(self, timing: Timing, name: str) -> None:
        self._timing, self._name, self._now_s = timing, name, timing.clock.stopwatch_s

    def __enter__(self) -> None:
        self._began_s = self._now_s()

    def __exit__(self, *_: object) -> None:
        timing, name = self._timing, self._name
        setattr(timing, name, getattr(timing, name) + self._now_s() - self._began_s)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a ranking cost so far, in calls and in time. `cpu` is the stage `cpu_s`, one for all its blocks: none of
    them waits, so no two are under way at once."""

    usage: Usage
    timing: Timing
    cpu: Stage

    @classmethod
    def new(cls, clock: Clock) -> "Cost":
        """Nothing yet."""
        timing = Timing(clock)
        return cls(Usage(), timing, Stage(timing, "cpu_s"))


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One plan and what came of it. There is a second one only after a drift. `columns` are those of the metadata that
    its calls asked for on the way, `log` all attempts, those of bridges numbered after those of the plan."""

    plan: Plan
    fan: FanOut[Answer]
    calibration: Calibration
    bridges: list[Bridge]
    drifted: bool
    learnt: Frame
    columns: tuple[str, ...] = ()
    log: list[Attempt] = field(default_factory=list, repr=False)

    @property
    def sound(self) -> bool:
        """Whether the scale is certain enough to be kept and to be answered without a flag."""
        return self.calibration.error <= ERROR_MAX and not self.calibration.drifted


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One tournament and what came of it: `fan` holds all its calls, `sizes` how large those of every round
    were."""

    fan: FanOut[Answer]
    sizes: list[list[int]]
    settled: int
    learnt: Frame
    sound: bool
    drifted: bool = False

    @property
    def log(self) -> list[Attempt]:
        """All its attempts."""
        return self.fan.log


class Origin:
    """Codes for where a candidate's score came from, see `Result.origin`."""

    FRESH: Final = 0
    CACHED: Final = 1
    STALE: Final = 2
    NAMES: Final = ("fresh", "cached", "stale")


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A ranking and how it was made.

    `log`, `grade`, `origin` and `source` run over the distinct `candidates`; `source` is an index into
    `recommendation_ids`, -1 for an unranked one. `variant` is empty where the campaign has none. `has_scores` is False
    where several calls were merged by their orders: a score of one of them would say nothing beside one of another.
    `own` is there where all came out of a kept frame whose very list was asked for.
    """

    candidates: list[str]
    ranking: Ranking
    log: Floats
    grade: Grades
    origin: Ints
    source: Ints
    recommendation_ids: tuple[str, ...]
    variant: str
    degraded: Degraded | None
    usage: Usage
    timing: Timing
    rounds: list[Round | Played]
    merge: Merge = "calibrated"
    has_scores: bool = True
    own: OwnList | None = None

    def source_of(self, place: int) -> str:
        """Where a candidate's score came from: fresh, cached, stale, unknown or unranked."""
        grade = self.grade[place]
        if grade == Grade.UNRANKED:
            return "unranked"
        return "unknown" if grade == Grade.UNKNOWN else Origin.NAMES[self.origin[place]]


def worst(failures: Sequence[UpstreamError]) -> UpstreamError:
    """The error to answer with when nothing at all could be ranked: the kind that most calls failed with."""
    if not failures:
        return Unavailable("no call was answered")
    kind, _ = Counter(map(type, failures)).most_common(1)[0]
    return next(failure for failure in failures if type(failure) is kind)


def incomplete(failures: Sequence[UpstreamError]) -> Degraded:
    """The flag of an answer some of whose calls failed."""
    late = any(isinstance(failure, DeadlineExceeded) for failure in failures)
    return Degraded.DEADLINE if late else Degraded.UPSTREAM


def view(frame: Frame | None, rows: Ints) -> tuple[Floats, Grades, Ints]:
    """Log scores, grades and recommendation indices of candidates that stand in these rows of a frame (-1: nowhere)."""
    if frame is None:
        nowhere = filled(len(rows), -1, np.intp)
        return filled(len(rows), -np.inf), filled(len(rows), Grade.UNRANKED, np.uint8), nowhere
    return *frame.standing(rows), frame.sources(rows)
