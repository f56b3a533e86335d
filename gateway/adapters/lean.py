"""`Ranker` over a transport of our own: the same calls as `PersonalizeRanker`, for a fifteenth of the CPU.

aiobotocore says once how calls go out (`lean_route`) and whose credentials sign them; what is left for each call is to
write its members, sign, send, and read the answer. A call of 500 items costs 0.25 ms of CPU (0.45 on a busy
machine, where aiobotocore takes 4.5): two fifths of that msgspec reading 50 kB of answer, a third the check of it, a
tenth writing and signing; the rest is sockets and tasks. Where that does not apply (a proxy, another way of signing, no
credentials yet) the call goes through the reference by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
from botocore.exceptions import BotoCoreError, NoCredentialsError

from gateway.adapters import aws_session
from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.aws_errors import STALE_KEYS, error_of
from gateway.adapters.aws_session import TransportStats, told
from gateway.adapters.connections import NotTrusted, Pool
from gateway.adapters.http1 import HttpAnswer, HttpFailure
from gateway.adapters.lean_route import RANKING, REHEARSED, Route, rehearsed, route_of
from gateway.adapters.personalize import SERVICE, PersonalizeRanker
from gateway.adapters.resolver import Resolver
from gateway.adapters.sigv4 import Keys
from gateway.adapters.wire_answer import answer_of, refusal_in
from gateway.adapters.wire_listing import METHODS, listing_in, members_of
from gateway.core.answer import Answer
from gateway.core.errors import InvalidInput, Unavailable, Untrusted
from gateway.core.question import Listing, Question
from gateway.core.routing import region_of
from gateway.ports import Call

ANSWER_S: Final = 0.00025
"""What it takes to decode and check 500 items."""

ARNS_MAX: Final = 10_000
"""ARNs remembered; where none are configured, callers name them."""

NOT_UNICODE: Final = "the request holds text that is not Unicode"


class Credentials(Protocol):
    """Whose keys sign, as they are kept elsewhere."""

    def current(self) -> Keys:
        """The keys to sign with now. Raises botocore's `NoCredentialsError` where there are none."""
        ...

    async def renewed(self, rejected: Any) -> bool:
        """Whether there are other keys now than those that upstream refused."""
        ...

    async def get_frozen_credentials(self) -> Keys:
        """The keys to sign with, after waiting for them if need be. Raises `NoCredentialsError`."""
        ...


@dataclass(frozen=True, slots=True)
class Lane:
    """How the calls to one campaign go out: by which route, by the SDK's name of the operation, and over which
    connections. `begin` is the beginning of the bodies of rankings, up to the user's id."""

    routes: Mapping[str, Route]
    pool: Pool
    begin: bytes = b""

    def body(self, call: Call) -> bytes:
        """The members of a call. Raises `InvalidInput` for text that JSON cannot hold."""
        subject = call.subject
        try:
            parts = [self.begin, orjson.dumps(subject.user_id), b',"inputList":', orjson.dumps(call.items)]
            if subject.context:
                parts += [b',"context":', orjson.dumps(dict(subject.context))]
            if subject.filter_arn:
                parts += [b',"filterArn":', orjson.dumps(subject.filter_arn)]
                parts += [b',"filterValues":', orjson.dumps(dict(subject.filter_values))]
            if call.metadata_columns:
                parts += [b',"metadataColumns":', orjson.dumps({"ITEMS": call.metadata_columns})]
        except orjson.JSONEncodeError:
            raise InvalidInput(NOT_UNICODE) from None
        parts.append(b"}")
        return b"".join(parts)


class LeanRanker:
    """Calls campaigns, each in the region of its ARN. Use as an async context manager."""

    def __init__(
        self,
        clients: AwsClients,
        *,
        turn: Callable[[float], Awaitable[None]] | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """`turn` is waited for before computing for about so many seconds."""
        self.stats: TransportStats = clients.stats
        self._clients = clients
        self._credentials: Credentials = clients.credentials
        self._reference = PersonalizeRanker(clients)
        self._turn = turn
        self._wall_s = wall_s
        self._resolver = Resolver()
        self._regions: dict[str, Lane | None] = {}
        self._lanes: dict[str, Lane] = {}
        self._making = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<LeanRanker {sorted(self._regions)} {self.stats}>"

    async def __aenter__(self) -> "LeanRanker":
        return self

    async def __aexit__(self, *_: object) -> None:
        for lane in self._regions.values():
            if lane is not None:
                lane.pool.close()
        self._resolver.close()

    async def open(self, arns: list[str]) -> None:
        """Find out how calls to these ARNs go out before any caller waits for it. Errors: `PersonalizeRanker.open`."""
        await self._reference.open(arns)
        for arn in arns:
            await self._lane(arn)

    async def rank(self, call: Call) -> Answer:
        """Make the call. Errors are those of `ports.Ranker`."""
        lane, keys = self._lanes.get(call.arn) or await self._lane(call.arn), self._keys()
        if lane is None or keys is None:
            return await self._reference.rank(call)
        got = await self._called(lane, RANKING, keys, lane.body(call))
        if self._turn is not None:
            await self._turn(ANSWER_S)
        return answer_of(call, got)

    async def ask(self, arn: str, question: Question) -> Listing:
        """Make the call of a question. Errors are those of `ports.Ranker`."""
        lane, keys = self._lanes.get(arn) or await self._lane(arn), self._keys()
        if lane is None or keys is None:
            return await self._reference.ask(arn, question)
        try:
            body = orjson.dumps(members_of(arn, question))
        except orjson.JSONEncodeError:
            raise InvalidInput(NOT_UNICODE) from None
        got = await self._called(lane, METHODS[question.operation], keys, body)
        if got.status >= 300:
            raise error_of(refusal_in(got), question.subject.user_id)
        return listing_in(question, got.body)

    def _keys(self) -> Keys | None:
        """The keys to sign with; None where there are none, so that the reference has to make the call."""
        try:
            return self._credentials.current()
        except NoCredentialsError:
            return None

    async def _called(self, lane: Lane, method: str, keys: Keys, body: bytes) -> HttpAnswer:
        """Send a request; if its keys are refused as stale and there are others by then, once more."""
        got = await self._sent(lane, method, keys, body)
        if got.status >= 400 and refusal_in(got).code in STALE_KEYS and await self._credentials.renewed(keys):
            with suppress(NoCredentialsError):  # those that came have gone again: the refusal stands
                got = await self._sent(lane, method, self._credentials.current(), body)
        return got

    async def _sent(self, lane: Lane, method: str, keys: Keys, body: bytes) -> HttpAnswer:
        try:
            got = await lane.pool.request(lane.routes[method].request(keys, int(self._wall_s()), body))
        except NotTrusted as error:
            raise Untrusted("Personalize's endpoint cannot be trusted: TLS failed") from error
        except HttpFailure as error:
            raise Unavailable("Personalize cannot be reached") from error
        told(got.status, got.headers.get(b"x-amzn-requestid", b"").decode("latin-1"))
        if 300 <= got.status < 400:
            self.stats.redirected(got.status)
            raise Unavailable("Personalize cannot be reached")
        return got

    async def _lane(self, arn: str) -> Lane | None:
        """The lane of an ARN; None where the reference has to make the call, and say what is wrong."""
        region = region_of(arn)
        if region not in self._regions:
            async with self._making:
                if region not in self._regions:
                    try:
                        await self._find(region)
                    except (BotoCoreError, OSError):  # no credentials, no such region, no CA bundle
                        return None
        lane = self._regions.get(region)
        if lane is None:
            return None
        if len(self._lanes) >= ARNS_MAX:
            self._lanes.clear()
        begin = b'{"campaignArn":%b,"userId":' % orjson.dumps(arn)
        self._lanes[arn] = lane = Lane(lane.routes, lane.pool, begin)
        return lane

    async def _find(self, region: str) -> None:
        """Rehearse the calls of the region. What was signed with keys that changed meanwhile proves nothing."""
        client = await self._clients.of(SERVICE, region)
        keys = await self._credentials.get_frozen_credentials()
        found = {method: route_of(await rehearsed(client, method), keys) for method in REHEARSED}
        routes = {method: route for method, route in found.items() if route is not None}
        if len(routes) < len(found):
            if keys == await self._credentials.get_frozen_credentials():
                self._regions[region] = None
            return
        pool = Pool(
            routes[RANKING].origin,
            self._resolver,
            self.stats,
            connections_max=self._clients.connections_max,
            answer_bytes_max=aws_session.RESPONSE_BYTES_MAX,
        )
        self._regions[region] = Lane(routes, pool)
