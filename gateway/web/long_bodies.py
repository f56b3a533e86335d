"""Long requests: their lists of ids are read piece by piece, with a turn for each, and the rest at once.

The lists are lifted out of the document, which leaves `[]` in their places; what is left is small, and is read and
checked like any other request. Then the pieces of the lists are read against the same types, and put back. So the loop
never stands still for longer than it takes to read `REST_BYTES_MAX`, whatever 16 MiB hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from gateway.service.turns import Turns
from gateway.web.faults import FAULTS_MAX, NUL, BadMembers, Fault, NotJson, decode, escaped, hold_together, longest
from gateway.web.marks import LIST, OBJECT, Container, Marks, marks_of
from gateway.web.outline import container_of, fields_of, is_map_of_lists

LONG_BYTES: Final = 256 * 1024
"""From here on a request is long: what is shorter takes 5 ms at most, whatever it holds."""

REST_BYTES_MAX: Final = 1024 * 1024
"""What a long request may hold beside its lists of ids: the service's context and filter values at all their limits at
once, in any script. It is read in one go, in 10 ms at most."""

REST_STRINGS_MAX: Final = 5_000
"""Strings in that: the context, the filter's values and the columns are 362 names and values."""

PIECE_BYTES: Final = 128 * 1024
PIECE_STRINGS: Final = 5_000
PIECE_S: Final = 0.001
"""What is read of a list in one turn, and about how long that takes."""

BETWEEN_MAX: Final = 4 * PIECE_BYTES
"""A piece that is this long holds little but white space."""

NAME_GAP_MAX: Final = 100
"""White space round the colon between a name and its list."""

Members = TypeVar("Members", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class _List:
    """A list of strings that a member is, or holds under a name: the strings are those between two places among the
    quotes."""

    path: tuple[str, ...]
    kind: Any
    begin: int
    end: int
    quotes: slice

    @property
    def pointer(self) -> str:
        """Where it stands."""
        return "".join(f"/{escaped(step)}" for step in self.path)


async def members_of(turns: Turns, body: bytes | bytearray, kind: type[Members]) -> Members:
    """The body as `kind`, read in turns. Errors are those of `faults.decode`."""
    if len(body) <= LONG_BYTES:
        await turns.mine()
        return decode(body, kind)
    marks = await marks_of(body, turns)
    lists = list(_lists(body, marks, kind))
    length = len(body) - sum(one.end - one.begin for one in lists)
    strings = len(marks.quotes) // 2 - sum(one.quotes.stop - one.quotes.start for one in lists) // 2
    if length > REST_BYTES_MAX or strings > REST_STRINGS_MAX:
        limits = f"{REST_BYTES_MAX} bytes and {REST_STRINGS_MAX} strings"
        raise BadMembers([Fault("", f"may have {limits} beside its lists of ids")])
    await turns.mine()
    faults: list[Fault] = []
    try:
        members = decode(_without(body, lists), kind)
    except BadMembers as bad:
        faults += bad.faults
    for one in lists:
        try:
            ids = await _read(turns, body, marks, one)
        except BadMembers as bad:
            faults += bad.faults
        else:
            if not faults:
                members = _with(members, one.path, ids)
    if faults:
        raise BadMembers(faults[:FAULTS_MAX])
    hold_together(members)
    return members


def _lists(body: bytes | bytearray, marks: Marks, kind: type[msgspec.Struct]) -> Iterator[_List]:
    """The lists of the document that are such members, or stand in one that is a map of lists; repeated ones too."""
    fields = {name: field.type for name, field in fields_of(kind).items()}
    for one in marks.containers:
        if body[one.begin] != LIST or not one.leaf or one.depth not in (1, 2):
            continue
        path: list[str] = []
        at = one
        while at.within >= 0:
            name = _name(body, marks, at)
            if name is None or body[marks.containers[at.within].begin] != OBJECT:
                break
            path.insert(0, name)
            at = marks.containers[at.within]
        of = fields.get(path[0]) if len(path) == one.depth else None
        if len(path) == 2 and of is not None:
            of = container_of(of)[1][1] if is_map_of_lists(of) else None
        if of is not None and container_of(of)[0] is list:
            first, last = np.searchsorted(marks.quotes, (one.begin, one.end)).tolist()
            yield _List(tuple(path), of, one.begin, one.end, slice(first, last))


def _name(body: bytes | bytearray, marks: Marks, of: Container) -> str | None:
    """The name before a container, None if there is none."""
    behind = int(np.searchsorted(marks.quotes, of.begin))
    if behind < 2:
        return None
    opens, closes = marks.quotes[behind - 2 : behind].tolist()
    if of.begin - closes > NAME_GAP_MAX or body[closes + 1 : of.begin].strip(b" \t\r\n") != b":":
        return None
    try:
        return msgspec.json.decode(body[opens : closes + 1], type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotJson from None


def _without(body: bytes | bytearray, lists: list[_List]) -> bytes:
    """The document with the lists empty."""
    pieces, at = [], 0
    for one in lists:
        pieces.append(memoryview(body)[at : one.begin + 1])
        at = one.end
    return b"".join((*pieces, memoryview(body)[at:]))


async def _read(turns: Turns, body: bytes | bytearray, marks: Marks, of: _List) -> list[str]:
    """The strings of a list. Raises `BadMembers` with its first fault."""
    most = longest(of.kind)
    if most is not None and of.quotes.stop - of.quotes.start > 2 * most:
        raise BadMembers([Fault(of.pointer, f"Expected `array` of length <= {most}")])
    read: list[str] = []
    decoder = msgspec.json.Decoder(list[container_of(of.kind)[1][0]])  # type: ignore[misc]
    for begin, end in _pieces(body, marks, of):
        if end - begin > BETWEEN_MAX:
            raise BadMembers([Fault(of.pointer, "holds little but white space")])
        await turns.mine(PIECE_S)
        piece = b"".join((b"[", memoryview(body)[begin:end], b"]"))
        try:
            some = decoder.decode(piece)
        except msgspec.ValidationError as error:
            detail, _, where = str(error).partition(" - at `$[")
            raise BadMembers([Fault(f"{of.pointer}/{len(read) + int(where.partition(']')[0])}", detail)]) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NotJson from None
        if NUL in piece:
            for place, text in enumerate(some, len(read)):
                if "\0" in text:
                    raise BadMembers([Fault(f"{of.pointer}/{place}", "must not hold the character U+0000")])
        read += some
    return read


def _pieces(body: bytes | bytearray, marks: Marks, of: _List) -> Iterator[tuple[int, int]]:
    """Where the pieces of a list begin and end: cut at commas between strings. Raises `NotJson` if there is none."""
    begin, next_string = of.begin + 1, of.quotes.start
    while True:
        by_bytes = int(np.searchsorted(marks.quotes, begin + PIECE_BYTES))
        by_bytes += (by_bytes - of.quotes.start) % 2
        next_string = max(next_string + 2, min(by_bytes, next_string + 2 * PIECE_STRINGS))
        if next_string >= of.quotes.stop:
            break
        closes, opens = marks.quotes[next_string - 1 : next_string + 1].tolist()
        cut = body.find(b",", closes + 1, opens)
        if cut < 0:
            raise NotJson
        yield begin, cut
        begin = cut + 1
    yield begin, of.end


def _with(members: Members, path: tuple[str, ...], ids: list[str]) -> Members:
    """The members with a list put back."""
    attribute = fields_of(type(members))[path[0]].name
    if len(path) == 1:
        return msgspec.structs.replace(members, **{attribute: ids})
    getattr(members, attribute)[path[1]] = ids
    return members
