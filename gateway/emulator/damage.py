"""Answers that are wrong on purpose, decided in pure code: items that do not belong, bytes that are none of JSON."""

import re
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from gateway.emulator.faults import Fault, Kind

FOREIGN_ID: Final = "emulator-foreign-item"  # nobody has an item of this name
GARBAGE_BYTES: Final = 256

_SCORE: Final = re.compile(rb'(?<="score":)-?\d[^,}]*')


class Answer(Protocol):
    """The answer of any operation."""

    @property
    def listed(self) -> list[Any]:
        """Its items or actions; the first member of each is the id."""


def _place(fault: Fault, count: int) -> int:
    return min(int(fault.where * count), count - 1)


def _foreign(listed: list[Any], place: int) -> None:
    id_member = type(listed[place]).__struct_fields__[0]
    listed[place] = msgspec.structs.replace(listed[place], **{id_member: FOREIGN_ID})


def _duplicate(listed: list[Any], place: int) -> None:
    listed.insert(place, listed[place])


def _nan(body: bytes, fault: Fault) -> bytes:
    scores = list(_SCORE.finditer(body))
    if not scores:
        return body
    start, end = scores[_place(fault, len(scores))].span()
    return body[:start] + b"NaN" + body[end:]


def _garbage(_: bytes, fault: Fault) -> bytes:
    rng = np.random.Generator(np.random.PCG64(int(fault.where * 2**32)))
    return b"\xff" + rng.bytes(GARBAGE_BYTES)  # no JSON, and no UTF-8, begins so


OF_ITEMS: Final[dict[Kind, Callable[[list[Any], int], None]]] = {"foreign": _foreign, "duplicate": _duplicate}
OF_BYTES: Final[dict[Kind, Callable[[bytes, Fault], bytes]]] = {"nan": _nan, "garbage": _garbage}


def encoded(answer: Answer, fault: Fault) -> bytes:
    """The body of an answer, with what the fault does to its items or bytes; an empty list has no item to damage."""
    if fault.kind in OF_ITEMS and answer.listed:
        OF_ITEMS[fault.kind](answer.listed, _place(fault, len(answer.listed)))
    body = msgspec.json.encode(answer)
    return OF_BYTES[fault.kind](body, fault) if fault.kind in OF_BYTES else body


def torn_at(length: int, fault: Fault) -> int:
    """How many bytes of a body of this length are sent before the end: at least one is, and one is missing."""
    return 1 + _place(fault, max(1, length - 1)) if length > 1 else 0
