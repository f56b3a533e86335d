"""Where the strings of a JSON document stand, and its lists and objects: found without making anything of them.

A decoder reads a document in one go, in which nobody else has a turn: 16 MiB of nested lists take it a second. So a
long document is looked through first, a slice in each turn, with numpy; and what holds more strings, lists or objects
than any request may have, or longer ones, is refused for that, however cheap it was to send.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.core.model import Ints
from gateway.service.turns import Turns
from gateway.web.faults import BadMembers, Fault, NotJson

SLICE_BYTES: Final = 128 * 1024
SLICE_S: Final = 0.001
"""What is looked through in one turn, and about how long it takes."""

STRINGS_MAX: Final = 250_000
"""More strings than a request has: it may have 100,000 ids. One that has a few more is told so by its limit."""

STRING_BYTES_MAX: Final = 16 * 1024
"""A longer string than any request has: those have 1,024 characters, of 12 bytes at most."""

CONTAINERS_MAX: Final = 1_000
"""More lists and objects than any request has: those have 100 shelves, and few others."""

QUOTE, LIST, OBJECT = b'"[{'
CLOSES: Final = {LIST: b"]"[0], OBJECT: b"}"[0]}
FOLD: Final = OBJECT ^ LIST
"""The bit that makes a bracket of lists one of objects: opening or closing, and changes no other character into one."""


@dataclass(frozen=True, slots=True)
class Container:
    """A list or an object: where its brackets stand, how many containers it stands in, and the one that it is directly
    in (its number; -1 for none). A leaf holds none."""

    begin: int
    end: int
    depth: int
    within: int
    leaf: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """A document's `quotes`, those that open and those that close a string by turns, and its containers, in the order
    in which they begin."""

    quotes: Ints
    containers: list[Container]


async def marks_of(document: bytes | bytearray, turns: Turns) -> Marks:
    """Look through a document. Raises `NotJson` where strings or brackets do not close, `BadMembers` where there is too
    much of them; what stands between them is not looked at."""
    quotes: list[Ints] = []
    brackets: list[int] = []
    count, escaped = 0, False
    for start in range(0, len(document), SLICE_BYTES):
        await turns.mine(SLICE_S)
        text = bytes(document[start : start + SLICE_BYTES])
        if escaped:
            text = b"~" + text[1:]
        if escaped := b"\\" in text:
            text = text.replace(b"\\\\", b"~~").replace(b'\\"', b"~~")
            escaped = text.endswith(b"\\")
        here, found = _slice(np.frombuffer(text, dtype=np.uint8), in_string=count % 2 == 1)
        count += len(here)
        quotes.append(here + start)
        if count > 2 * STRINGS_MAX:
            raise BadMembers([Fault("", f"has more than {STRINGS_MAX} strings")])
        if len(brackets) + len(found) > 2 * CONTAINERS_MAX:
            raise BadMembers([Fault("", f"has more than {CONTAINERS_MAX} lists and objects")])
        brackets += (found + start).tolist()
    places = np.concatenate(quotes)
    if count % 2:
        raise NotJson
    if (places[1::2] - places[::2]).max(initial=0) > STRING_BYTES_MAX:
        raise BadMembers([Fault("", f"has a string of more than {STRING_BYTES_MAX} bytes")])
    return Marks(places, _containers(document, brackets))


def _slice(codes: NDArray[np.uint8], *, in_string: bool) -> tuple[Ints, Ints]:
    """Where quotes stand in a slice, whose escaped ones were blotted out, and brackets outside of strings."""
    is_quote = codes == QUOTE
    folded = codes | FOLD
    is_bracket = (folded == OBJECT) | (folded == CLOSES[OBJECT])
    if is_bracket.any():
        is_bracket &= np.logical_xor.accumulate(is_quote) == in_string
    return np.flatnonzero(is_quote), np.flatnonzero(is_bracket)


def _containers(document: bytes | bytearray, brackets: list[int]) -> list[Container]:
    """The containers that the brackets make. Raises `NotJson` where they do not fit."""
    found: list[Container] = []
    begun: list[int] = []
    for place in brackets:
        kind = document[place]
        if kind in CLOSES:
            found.append(Container(place, place, len(begun), begun[-1] if begun else -1, leaf=True))
            begun.append(len(found) - 1)
        elif not begun or CLOSES[document[found[begun[-1]].begin]] != kind:
            raise NotJson
        else:
            number = begun.pop()
            found[number] = replace(found[number], end=place, leaf=number == len(found) - 1)
    if begun:
        raise NotJson
    return found
