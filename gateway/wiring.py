"""The composition root: opens every client in one exit stack, which ends them, and hands the ports to the service."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

from gateway.adapters import logs
from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.lean import LeanRanker
from gateway.adapters.memory_store import MemoryStore
from gateway.adapters.memory_values import MemoryValues
from gateway.adapters.otel_sdk import opened_tracer
from gateway.adapters.personalize import PersonalizeRanker
from gateway.adapters.personalize_events import PersonalizeEvents
from gateway.adapters.personalize_raw import RawPersonalize
from gateway.adapters.spared import spared
from gateway.adapters.system_clock import SystemClock
from gateway.core.errors import GatewayError
from gateway.core.life import Life
from gateway.core.model import Subject
from gateway.core.plan import CALL_LIMIT, plan_ranking
from gateway.core.routing import region_of
from gateway.ports import Clock, FrameStore, ValueStore
from gateway.service.audit import RawRanker
from gateway.service.background import Background
from gateway.service.bill import Bill
from gateway.service.events import EventDoor
from gateway.service.fanout import Fans
from gateway.service.fetches import Fetches
from gateway.service.fills import Fills
from gateway.service.flights import Flights
from gateway.service.frames import Frames
from gateway.service.gates import Gates
from gateway.service.metadata import Metadata
from gateway.service.pins import Pins
from gateway.service.recommend import Recommender
from gateway.service.rerank import Reranker
from gateway.service.rounds import Rounds
from gateway.service.service import Service
from gateway.service.turns import Turns
from gateway.settings import MEMORY, CacheSettings, Settings, standard

BACKGROUND_DRAIN_S: Final = 2.0
"""Storing what was learnt is worth this much of a shutdown."""

CONNECTIONS_MAX: Final = 10_000
"""Connections upstream in all; the gates bound each campaign far below."""

METADATA_SHARE: Final = 1 / 8
"""What metadata may take in memory beside the frames, as a share of theirs: 100,000 items at 256 MiB."""

PINS_SHARE: Final = 1 / 4
"""The same for pinned rankings: 300 of 10,000 items at 256 MiB."""


class CannotStart(Exception):
    """What was configured cannot be opened; the message says what."""


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """The inside of the gateway, its clients open and its work drained at the end."""
    _warm_up()
    clock = SystemClock()
    background = Background()
    campaigns = settings.campaign_policies()
    async with AsyncExitStack() as stack:
        tracer = await stack.enter_async_context(opened_tracer(standard("OTEL_")))
        stores = await _opened_stores(settings.cache, clock, stack)
        clients = await stack.enter_async_context(
            AwsClients(connections_max=CONNECTIONS_MAX, default_region=settings.aws_region)
        )
        arns = [arn for campaign in campaigns.values() for arm in campaign.arms for arn in arm.arns]
        gates, turns = Gates(clock), Turns()
        ranker = await _ranker(settings, clients, turns, stack)
        try:
            await ranker.open(arns)
        except GatewayError as error:
            raise CannotStart(str(error)) from error

        async def not_ready() -> str | None:
            return None if clients.has_credentials() else "no AWS credentials"

        random = Random()  # noqa: S311 - spreads retries and names scales; nothing secret
        life = Life(settings.cache.fresh_s, settings.cache.stale_s, settings.cache.settle_s)
        frames = Frames(stores.frames, clock, background, random, life)
        bill = Bill()
        fans = Fans(ranker, clock, random, bill)
        fetches = Fetches(fans, gates, clock, turns)
        rounds = Rounds(fans, gates, clock, random, turns)
        reranker = Reranker(Fills(rounds, frames), frames, clock, turns, bill)
        try:
            sink = PersonalizeEvents(clients, settings.aws_region or next(map(region_of, arns), ""))
            service = Service(
                reranker,
                EventDoor(sink, reranker),
                campaigns,
                gates,
                clock,
                Metadata(stores.metadata, fetches, background, turns, settings.cache.metadata_s),
                Pins(stores.pins, settings.cache.pin_s, turns),
                not_ready,
                stores.frames.health,
                clients.credentials.health,
                Recommender(Flights(fans, gates, frames), frames),
                tracer=tracer,
                log_level=logs.LEVEL,
                log_dropped=lambda: logs.STREAM.dropped,
            )
            with service.pulse:
                yield service
        finally:
            await background.drain(BACKGROUND_DRAIN_S)


async def _ranker(
    settings: Settings, clients: AwsClients, turns: Turns, stack: AsyncExitStack
) -> LeanRanker | PersonalizeRanker:
    """The transport that is set."""
    if settings.transport == "aiobotocore":
        return PersonalizeRanker(clients)
    return await stack.enter_async_context(LeanRanker(clients, turn=turns.mine))


@asynccontextmanager
async def open_raw_ranker(arn: str, subject: Subject) -> AsyncIterator[RawRanker]:
    """Straight to a campaign, past everything that the gateway does: for the audit."""
    async with AwsClients(connections_max=1) as clients:
        yield RawPersonalize(clients, SystemClock(), arn, subject)


def _warm_up() -> None:
    """Plan once: numpy makes parts of itself on their first use (measured: 15 ms), which no caller should pay for."""
    plan_ranking([str(number) for number in range(2 * CALL_LIMIT)])


@dataclass(frozen=True, slots=True)
class _Stores:
    """Where everything is kept that is worth keeping for a while."""

    frames: FrameStore
    metadata: ValueStore
    pins: ValueStore


async def _opened_stores(cache: CacheSettings, clock: Clock, stack: AsyncExitStack) -> _Stores:
    """The stores that the URL names; they close with the stack."""
    if cache.url == MEMORY:
        bytes_max = cache.memory_mib * 1024 * 1024
        return _Stores(
            MemoryStore(clock.now_s, bytes_max),
            MemoryValues(clock.now_s, round(METADATA_SHARE * bytes_max)),
            MemoryValues(clock.now_s, round(PINS_SHARE * bytes_max)),
        )
    with spared():  # imported here, as it takes 6 MiB and 100 ms: for those who use it
        from gateway.adapters.redis_options import RedisOptions
        from gateway.adapters.redis_store import RedisStore
    options = RedisOptions(
        cache.url,
        timeout_ms=cache.timeout_ms,
        username=cache.username,
        password=_password(cache),
        sentinel_username=cache.sentinel_username,
        sentinel_password=cache.sentinel_password.get_secret_value() if cache.sentinel_password else None,
        ca_file=cache.tls_ca_file,
        cert_file=cache.tls_cert_file,
        key_file=cache.tls_key_file,
        connections_max=cache.connections_max,
        compression=cache.compression,
    )
    try:
        store = await stack.enter_async_context(RedisStore(options))
    except (OSError, ValueError) as error:  # a server that is away is none: only files can be wrong here
        raise CannotStart(f"cache: {error}") from error
    return _Stores(store, store.values, store.values)


def _password(cache: CacheSettings) -> str | Callable[[], str] | None:
    """The password; one in a file is read at every new connection, so it can be rotated without a restart."""
    if (file := cache.password_file) is not None:
        return lambda: file.read_text(encoding="utf-8").strip()
    return cache.password.get_secret_value() if cache.password else None
