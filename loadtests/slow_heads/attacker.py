"""The attack: sockets whose heads never end, in a process of its own that costs next to nothing.

    python -m loadtests.slow_heads.attacker NICENESS         on standard input, for each attack: PORT SOCKETS SECONDS

One loop, a turn a millisecond, nothing but system calls. Sockets are opened evenly, all within `OPENED_WITHIN_S`; each
sends the beginning of a head, and from then on one byte a second, so the bytes are as even as the openings were. An
attacker who was kept waiting does not make up for it: in one turn it never does more than `AT_ONCE` of anything. An
attack lasts until the other side has ended every socket, or gives each of them up after so many seconds. What it saw is
one line of JSON on standard output.
"""

import math
import os
import select
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

import orjson

HEAD: Final = b"POST /v1/rerank HTTP/1.1\r\nX-Slow: "
BYTE_EVERY_S: Final = 1.0
OPENED_WITHIN_S: Final = 0.9
TURN_S: Final = 0.001
AT_ONCE: Final = 8
CONNECTED_WITHIN_S: Final = 5.0

NOWHERE: Final = 0
"""The port that stands for one of the attacker's own, where the system completes connections and nobody takes them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an attack: sockets that the other side ended and that were told 408, how long those lasted in
    seconds, how many were given up; when the last was opened, and the attacker's own CPU time."""

    ended: int
    told: int
    given_up: int
    lasted_s: tuple[float, float]
    opened_s: float
    cpu_s: float


@dataclass(slots=True, eq=False)
class Slow:
    """One socket, since when it is open, when its next byte is due, and whether it is over."""

    socket: socket.socket
    began_s: float
    due_s: float
    over: bool = False


class Attack:
    """Sockets to one port; each is given up after `patience_s`."""

    def __init__(self, port: int, sockets: int, patience_s: float) -> None:
        self._port, self._sockets, self._patience_s = port, sockets, patience_s
        self._open: dict[int, Slow] = {}
        self._due: deque[Slow] = deque()
        self._lasted_s: list[float] = []
        self._told = self._given_up = 0

    def run(self) -> Seen:
        """Open all, drip on all, until all are over. Raises `OSError` if a socket cannot be opened."""
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        opened, opened_s = 0, 0.0
        with select.epoll() as epoll:
            while opened < self._sockets or self._open:
                now_s = time.monotonic()
                due = math.ceil(self._sockets * (now_s - began_s) / OPENED_WITHIN_S)
                for _ in range(min(due, self._sockets, opened + AT_ONCE) - opened):
                    epoll.register(self._begun(), select.EPOLLIN)
                    opened, opened_s = opened + 1, time.monotonic() - began_s
                self._drip(now_s)
                for number, _ in epoll.poll(TURN_S):
                    self._hear(self._open[number])
                time.sleep(max(0.0, now_s + TURN_S - time.monotonic()))
        lasted_s = (min(self._lasted_s, default=0.0), max(self._lasted_s, default=0.0))
        cpu_s = time.process_time() - began_cpu_s
        return Seen(len(self._lasted_s), self._told, self._given_up, lasted_s, opened_s, cpu_s)

    def _begun(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), CONNECTED_WITHIN_S)
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.send(HEAD)
        now_s = time.monotonic()
        slow = self._open[connection.fileno()] = Slow(connection, now_s, now_s + BYTE_EVERY_S)
        self._due.append(slow)
        return connection

    def _drip(self, now_s: float) -> None:
        """A byte on every socket that is due."""
        for _ in range(AT_ONCE):
            if not self._due or self._due[0].due_s > now_s:
                return
            slow = self._due.popleft()
            if slow.over:
                continue
            if now_s - slow.began_s >= self._patience_s:
                self._given_up += 1
                self._end(slow)
                continue
            with suppress(OSError):  # it is being ended: `_hear` will tell
                slow.socket.send(b"x")
            slow.due_s = now_s + BYTE_EVERY_S
            self._due.append(slow)

    def _hear(self, slow: Slow) -> None:
        """Read what comes: last words, then the end, or a reset because a byte came too late."""
        try:
            said = slow.socket.recv(4096)
        except ConnectionResetError:
            said = b""
        if said:
            self._told += said.startswith(b"HTTP/1.1 408 ")
            return
        self._lasted_s.append(time.monotonic() - slow.began_s)
        self._end(slow)

    def _end(self, slow: Slow) -> None:
        slow.over = True
        del self._open[slow.socket.fileno()]
        slow.socket.close()


def attack(port: int, sockets: int, patience_s: float) -> Seen:
    """One attack, on that port, or nowhere."""
    if port != NOWHERE:
        return Attack(port, sockets, patience_s).run()
    with socket.create_server(("127.0.0.1", 0), backlog=sockets) as deaf:
        return Attack(deaf.getsockname()[1], sockets, patience_s).run()


def main() -> None:
    """Attack as often as told."""
    os.nice(int(sys.argv[1]))
    for line in sys.stdin:
        port, sockets, patience_s = line.split()
        seen = attack(int(port), int(sockets), float(patience_s))
        print(orjson.dumps(asdict(seen)).decode(), flush=True)


if __name__ == "__main__":
    main()
