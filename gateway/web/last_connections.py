"""The last connections of a listener: how it ends without resetting one that a caller could make in good faith.

The system makes connections for a listener that nobody has taken yet, and resets them when it closes. So they are taken
first; but another may be made behind the last one that was taken and before the listener has closed (measured: a
request of a busy gateway in every third to twelfth end). Therefore the system is told, by a packet filter on the
listener (Linux: `SO_ATTACH_FILTER`, socket(7)), to begin no more: who comes now hears nothing, asks again a second
later, as TCP does, and is refused. Handshakes that were begun before have `HANDSHAKE_S` to end; one that takes longer
is reset, as it would be anyway.
"""

import array
import asyncio
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final

HANDSHAKE_S: Final = 0.02
"""Round trips within a region take a tenth of that."""

_SO_ATTACH_FILTER: Final = 26
"""`asm-generic/socket.h`; the standard library has no name for it."""

_LOAD_BYTE, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_FLAGS_AT, _SYN, _ACK = 13, 0x02, 0x10
_ALL_OF_IT: Final = 0xFFFF_FFFF

_PASS_WHAT_IS_NO_SYN: Final = (
    (_LOAD_BYTE, 0, 0, _FLAGS_AT),
    (_AND, 0, 0, _SYN | _ACK),
    (_JUMP_IF_EQUAL, 0, 1, _SYN),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, _ALL_OF_IT),
)
"""A program for the system, over a segment from its TCP header on (linux/filter.h: code, jumps, operand). Connections
that are made later inherit it: it must let all of theirs pass."""


async def last_connections(listeners: Sequence[socket.socket]) -> list[socket.socket]:
    """What the system has taken, or is about to take, for the listeners; they are closed with that."""
    with ExitStack() as stack:
        told = [begins_no_more(stack.enter_context(listener)) for listener in listeners]
        if any(told):
            await asyncio.sleep(HANDSHAKE_S)
        return [connection for listener in listeners for connection in _taken(listener)]


def begins_no_more(listener: socket.socket) -> bool:
    """Let the system begin no connection for a TCP listener; False where it has no such filter, or none for this."""
    if sys.platform != "linux" or listener.family == socket.AF_UNIX:
        return False
    program = array.array("B", b"".join(struct.pack("HBBI", *step) for step in _PASS_WHAT_IS_NO_SYN))
    address, _ = program.buffer_info()
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_PASS_WHAT_IS_NO_SYN), address))
        return True
    return False


def _taken(listener: socket.socket) -> list[socket.socket]:
    """All that wait; the listener is closed with the last of them, so that there is no time for another."""
    taken = []
    with listener:
        listener.settimeout(0)
        with suppress(OSError):  # there is none left
            while True:
                taken.append(listener.accept()[0])
    return taken
