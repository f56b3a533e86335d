"""The other caller: rankings, one after the other, on one kept connection, each with what it took."""

import socket
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from loadtests.client_cost.contestants import cpu_ns
from loadtests.client_cost.task import items_of, request_body

CANDIDATES: Final = 100
PAUSE_S: Final = 0.002
ANSWER_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """When it was asked for (since its phase began), what it took, and the gateway's CPU time meanwhile."""

    asked_s: float
    wall_ms: float
    cpu_ms: float


class Caller:
    """One user of a gateway, whose process is known by its id."""

    def __init__(self, url: str, gateway: int) -> None:
        where = urlsplit(url)
        self._gateway = gateway
        self._socket = socket.create_connection((where.hostname or "", where.port or 0), ANSWER_WITHIN_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = request_body("caller", items_of(CANDIDATES))
        head = f"POST /v1/rerank HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
        self._request = b"%bContent-Length: %d\r\n\r\n%b" % (head.encode(), len(body), body)

    def rank(self, seconds: float) -> list[Ranking]:
        """Rankings for so long. Raises `RuntimeError` or `OSError` if one is not answered as it should be."""
        found, began_s = [], time.perf_counter()
        while (asked_s := time.perf_counter()) < began_s + seconds:
            spent_ns = cpu_ns(self._gateway)
            sent_s = time.perf_counter()
            self._socket.sendall(self._request)
            self._read_answer()
            wall_s = time.perf_counter() - sent_s
            found.append(Ranking(asked_s - began_s, 1e3 * wall_s, (cpu_ns(self._gateway) - spent_ns) / 1e6))
            time.sleep(PAUSE_S)
        return found

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read_answer(self) -> None:
        read = b""
        while b"\r\n\r\n" not in read:
            read += self._some()
        head, _, body = read.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the gateway answered {head[:60]!r}")
        missing = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]) - len(body)
        while missing > 0:
            missing -= len(self._some())

    def _some(self) -> bytes:
        some = self._socket.recv(65_536)
        if not some:
            raise RuntimeError("the gateway hung up")
        return some
