"""The table of upstream faults: what is played, what the gateway makes of it, and how a naive client gets it wrong."""

from dataclasses import dataclass
from typing import Final, Literal

from tests.faults.naive import Outcome
from tests.support.model_upstream.faults import Rule

Once = Literal["whole", "refused", "any"]
"""When one attempt alone is hit: a retry makes the answer whole; the caller is refused; or either, but never silent."""


@dataclass(frozen=True)
class Row:
    """One fault.

    `status` and `slugs` are what the caller is told if all attempts are hit and nothing can stand in. `fallback` says
    whether the campaign's fallback may stand in. `ends` is whether an attempt that is hit ends by itself.
    """

    name: str
    rule: Rule
    status: int
    slugs: tuple[str, ...]
    naive: Outcome
    once: Once = "whole"
    fallback: bool = True
    retried: bool = True
    ends: bool = True


UNAVAILABLE: Final = ("upstream-unavailable",)
MALFORMED: Final = ("upstream-malformed",)
EITHER: Final = UNAVAILABLE + MALFORMED
DENIED: Final = ("upstream-access-denied",)


def row(play: str, status: int, slugs: tuple[str, ...], naive: Outcome, **more: object) -> Row:
    """A row whose name is its play, with the status if the play takes one."""
    return Row(play, Rule(play=play), status, slugs, naive, **more)  # type: ignore[arg-type]


def with_status(play: str, played: int, status: int, slugs: tuple[str, ...], naive: Outcome, **more: object) -> Row:
    """A row of a play that is given a status."""
    return Row(f"{play} {played}", Rule(play=play, status=played), status, slugs, naive, **more)  # type: ignore[arg-type]


ROWS: Final = [
    # The service says no.
    row("invalid-input", 422, ("invalid-input",), "raises", once="refused", fallback=False, retried=False),
    row("not-found", 404, ("no-such-resource",), "raises", once="refused", fallback=False, retried=False),
    row("access-denied", 503, DENIED, "raises", once="any", retried=False),
    row("expired-token", 503, DENIED, "raises", once="any"),
    with_status("throttled", 400, 429, ("throttled",), "raises"),
    with_status("throttled", 429, 429, ("throttled",), "raises"),
    row("bare-429", 429, ("throttled",), "raises"),
    # It fails.
    *(with_status("error", status, 503, UNAVAILABLE, "raises") for status in (500, 502, 503, 504)),
    *(with_status("redirect", status, 503, UNAVAILABLE, "right") for status in (307, 308)),
    *(with_status("redirect", status, 503, UNAVAILABLE, "raises") for status in (301, 302)),
    # It does not answer.
    row("hang", 504, ("deadline",), "late", once="any", ends=False),
    row("drip", 504, ("deadline",), "late", once="any", ends=False),
    # The connection breaks.
    row("reset", 503, UNAVAILABLE, "raises"),
    row("close", 503, UNAVAILABLE, "raises"),
    row("close-in-head", 503, EITHER, "raises"),
    row("no-http", 503, EITHER, "raises"),
    row("truncated", 503, EITHER, "raises"),
    row("length-too-long", 503, EITHER, "raises"),
    row("length-too-short", 503, EITHER, "raises"),
    row("chunks-torn", 503, EITHER, "raises"),
    # It answers what is no ranking.
    row("garbage", 503, MALFORMED, "raises"),
    row("torn-json", 503, MALFORMED, "raises"),
    row("bad-utf8", 503, MALFORMED, "raises"),
    row("deep", 503, MALFORMED, "raises"),
    row("html", 503, MALFORMED, "raises"),
    row("huge", 503, EITHER, "right"),
    row("empty", 503, MALFORMED, "raises"),
    row("empty-object", 503, MALFORMED, "raises"),
    row("null-ranking", 503, MALFORMED, "raises"),
    row("list", 503, MALFORMED, "raises"),
    row("wrong-types", 503, MALFORMED, "raises"),
    row("texts-as-items", 503, MALFORMED, "raises"),
    row("object-as-ranking", 503, MALFORMED, "raises"),
    row("null-items", 503, MALFORMED, "raises"),
    row("null-ids", 503, MALFORMED, "raises"),
    # It answers a ranking that cannot be.
    row("short", 503, MALFORMED, "wrong"),
    row("no-items", 503, MALFORMED, "wrong"),
    row("duplicate", 503, MALFORMED, "wrong"),
    row("unknown-item", 503, MALFORMED, "wrong"),
    row("one-item-more", 503, MALFORMED, "wrong"),
    row("worst-first", 503, MALFORMED, "wrong"),
    row("nan", 503, MALFORMED, "wrong"),
    row("infinite", 503, MALFORMED, "wrong"),
    row("overflow", 503, MALFORMED, "wrong"),
    row("negative", 503, MALFORMED, "wrong"),
    row("above-one", 503, MALFORMED, "wrong"),
]
