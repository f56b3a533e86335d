"""The endpoint: what a request is answered with, and the control surface beside it.

    POST /personalize-ranking      the operation (any other POST path, too, so that a prefix may stand before it)
    POST /_faults                  {"ARN" or "*": Faults}: from now on; counts of rules begin anew
    GET  /_stats                   what was seen so far
    POST /_stats                   forget what was seen so far

In process the same are `ModelUpstream.faults`, `.set` and `.stats`. A second port is where redirects point; whatever
comes there is a stray.
"""

import asyncio
import re
import ssl as tls
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Literal

import msgspec
import orjson

from tests.support.model_upstream.exchange import Exchange, response
from tests.support.model_upstream.faults import ALL, WELL, Conduct, Decision, Faults
from tests.support.model_upstream.logits import Model
from tests.support.model_upstream.plays import PLAYS
from tests.support.model_upstream.protocol import Connection
from tests.support.model_upstream.stats import Stats, Tally

Canned = Literal["model", "equal"]
"""`model`: a softmax of the known logits. `equal`: the list as it came, all items alike, without decoding it."""

NULLS: Final = b',"promotionName":null,"metadata":null,"reason":null,"explanation":null}'
"""What real bodies carry for members without a value, with one that the service model does not name."""

DESCRIBED: Final = NULLS.replace(b'"metadata":null', b'"metadata":{"title":"A thing of some use","price":"12.90"}')
"""The same for calls that name columns, whichever: all items are described alike."""

ARN: Final = re.compile(rb'"campaignArn": ?"([^"\\]{1,256})"')
INPUT: Final = re.compile(rb'"inputList": ?\[ ?')

HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-amzn-RequestId: %d\r\nContent-Length: %d\r\n\r\n"

STARTED_WITHIN: Final = 1024
"""Connections that may wait to be accepted: a load test opens hundreds at once."""


class ModelUpstream:
    """The endpoint's inside. `url` is where it listens, `elsewhere` where its redirects point."""

    def __init__(self, answers: Canned = "model") -> None:
        self.url = ""
        self.elsewhere = ""
        self.stats = Stats()
        self._model = Model()
        self._body = self._ranked if answers == "model" else self._equal
        self._faults: dict[str, Faults] = {}
        self._conducts: dict[str, Conduct] = {}
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._answers = 0
        self.connections: set[Connection] = set()

    def __repr__(self) -> str:
        return f"<ModelUpstream {self.url} attempts={self.stats.attempts} open={self.stats.open}>"

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._loop.time() - self._began_s

    @property
    def faults(self) -> Mapping[str, Faults]:
        """What was set, by ARN."""
        return self._faults

    def set(self, faults: Faults | None = None, arn: str = ALL) -> None:
        """Break the ARN in this way, or mend it; every rule begins to count anew.

        Raises `KeyError` for a play that there is not.
        """
        for rule in () if faults is None else faults.rules:
            PLAYS[rule.play]
        self._faults[arn] = faults or Faults()
        if arn == ALL:
            self._conducts.clear()
        self._conducts.pop(arn, None)

    def _conduct(self, arn: str) -> Conduct:
        if arn not in self._conducts:
            self._conducts[arn] = Conduct(self._faults.get(arn, self._faults.get(ALL, Faults())))
        return self._conducts[arn]

    # The side of the connections.

    def opened(self, connection: Connection) -> None:
        """A connection was made."""
        self.connections.add(connection)
        self.stats.connected()

    def lost(self, connection: Connection) -> None:
        """A connection is gone; with a request under way the other side gave that up."""
        self.connections.discard(connection)
        self.stats.open -= 1
        if connection.ends is not None:
            ends, connection.ends = connection.ends, None
            ends()

    def requested(self, connection: Connection, target: str, body: bytes) -> None:
        """Answer, now or later, well or not."""
        path = target.partition("?")[0]
        if path.startswith("/_"):
            connection.write(self._controlled(path, body))
            connection.done()
            return
        found = ARN.search(body)
        arn = found[1].decode("latin-1") if found else ""
        now_s = self.now_s
        tally = self.stats.begin(arn, body, now_s)
        decision = self._conduct(arn).decide(body, reused=connection.requests > 1, now_s=now_s)
        connection.ends = _end_of(tally, connection)
        if decision is WELL:
            self._answer(connection, body, tally)
        elif decision.delay_s:
            connection.after(decision.delay_s, lambda: self._play(connection, body, tally, decision))
        else:
            self._play(connection, body, tally, decision)

    def _play(self, connection: Connection, body: bytes, tally: Tally, decision: Decision) -> None:
        rule = decision.rule
        if rule is None:
            self._answer(connection, body, tally)
            return
        tally.plays[rule.play] += 1
        PLAYS[rule.play](Exchange(connection, rule, lambda: self._body(body), self.elsewhere))

    def _answer(self, connection: Connection, body: bytes, tally: Tally) -> None:
        answer = self._body(body)
        self._answers += 1
        tally.answered += 1
        connection.write(HEAD % (self._answers, len(answer)) + answer)
        connection.done()

    def _ranked(self, body: bytes) -> bytes:
        """The model's answer."""
        members = orjson.loads(body)
        entries = self._model.entries(members["userId"], members["inputList"])
        rest = DESCRIBED if "metadataColumns" in members else NULLS
        return _wrapped((rest + b",").join(entries) + rest if entries else b"")

    def _equal(self, body: bytes) -> bytes:
        """Every item alike, in the order of the list: one search and replace over the bytes. Ids are plain words."""
        found = INPUT.search(body)
        assert found is not None
        listed = body[found.end() : body.index(b'"]', found.end()) + 1]
        between = b'", "' if b'", "' in listed else b'","'
        alike = b'","score":%.7f' % (1.0 / (listed.count(between) + 1)) + NULLS
        return _wrapped(b'{"itemId":' + listed[:-1].replace(between, alike + b',{"itemId":"') + alike)

    def _controlled(self, path: str, body: bytes) -> bytes:
        if path == "/_stats" and not body:
            return response(orjson.dumps(self.stats.told(self.now_s)))
        if path == "/_stats":
            self.stats = Stats(open=self.stats.open)
            return response(b"{}")
        try:
            for arn, faults in msgspec.json.decode(body, type=dict[str, Faults | None]).items():
                self.set(faults, arn)
        except (msgspec.MsgspecError, KeyError) as error:
            return response(orjson.dumps({"message": str(error)}), "400 Bad Request")
        return response(b"{}")


def _wrapped(entries: bytes) -> bytes:
    return b'{"personalizedRanking":[%b],"recommendationId":"RID-00-0000-0000-000000000000-CID-000000"}' % entries


def _end_of(tally: Tally, connection: Connection) -> Callable[[], None]:
    """What to count when the request is over; `busy` still holds if the other side left before."""

    def ends() -> None:
        tally.in_flight -= 1
        tally.abandoned += connection.busy

    return ends


class _Trap:
    """Where redirects point: answers well, and keeps what it was sent."""

    def __init__(self, upstream: ModelUpstream) -> None:
        self._upstream = upstream

    def opened(self, connection: Connection) -> None:
        self._upstream.connections.add(connection)

    def lost(self, connection: Connection) -> None:
        self._upstream.connections.discard(connection)

    def requested(self, connection: Connection, target: str, body: bytes) -> None:
        self._upstream.stats.strayed(target.encode("latin-1") + b" " + body)
        connection.write(response(self._upstream._body(body) if body else b"{}"))
        connection.done()


@asynccontextmanager
async def listening(
    answers: Canned = "model", *, host: str = "127.0.0.1", port: int = 0, ssl: tls.SSLContext | None = None
) -> AsyncIterator[ModelUpstream]:
    """An endpoint, and the end of all its connections afterwards."""
    loop = asyncio.get_running_loop()
    upstream = ModelUpstream(answers)
    server = await loop.create_server(lambda: Connection(upstream), host, port, ssl=ssl, backlog=STARTED_WITHIN)
    trap = await loop.create_server(lambda: Connection(_Trap(upstream)), host, 0)
    scheme = "http" if ssl is None else "https"
    upstream.url = f"{scheme}://{'localhost' if ssl else host}:{server.sockets[0].getsockname()[1]}"
    upstream.elsewhere = f"http://{host}:{trap.sockets[0].getsockname()[1]}/elsewhere"
    try:
        yield upstream
    finally:
        server.close()
        trap.close()
        for connection in list(upstream.connections):
            if connection.transport is not None:
                connection.transport.abort()
        while upstream.connections:  # until the loop has told them
            await asyncio.sleep(0)
        await server.wait_closed()
        await trap.wait_closed()
