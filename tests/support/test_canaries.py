"""The watch on canaries finds a planted one in every place that it looks at, and leaves alone what may be said."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
import structlog
from aiohttp import web
from opentelemetry.sdk import trace

from gateway.adapters.memory_store import MemoryStore
from gateway.adapters.redis_asker import Asker
from gateway.adapters.redis_options import RedisOptions
from gateway.core.errors import InvalidInput
from tests.support.canaries import HOOKS, USER, planted, watch
from tests.traces.recorder import LeanRecorder

pytest_plugins = ["pytester"]

SAYS = f"import sys; print('{USER}', file=sys.stderr)"


async def in_a_log() -> None:
    """As a fact of a line."""
    structlog.get_logger("gateway.test").info("request", user=USER)


async def in_the_event_of_a_log() -> None:
    """In its words."""
    structlog.get_logger("gateway.test").warning(f"no such user as {USER}")


async def in_a_traceback() -> None:
    """In what an error that is logged says."""
    try:
        raise KeyError(USER)
    except KeyError:
        structlog.get_logger("gateway.test").exception("unexpected error")


async def in_a_log_of_a_library() -> None:
    """In words of the standard library."""
    logging.getLogger("redis").warning("of %s", USER)


async def in_a_traceback_of_a_library() -> None:
    """In what an error says that a library logs."""
    try:
        raise KeyError(USER)
    except KeyError:
        logging.getLogger("asyncio").exception("a task failed")


async def in_an_error() -> None:
    """In an error of the gateway, which may be told."""
    InvalidInput(f"{USER} may not")


async def in_a_key_in_memory() -> None:
    """In a key of the store in memory."""
    await MemoryStore(lambda: 0.0).bump(USER, 1, 1.0)


async def in_a_key_in_redis() -> None:
    """In a key of Redis."""
    asker = Asker(RedisOptions("redis://127.0.0.1:1"))
    await asker.ask(asker.reads, 0.01, "MGET", USER)
    await asker.aclose()


async def in_a_value_in_redis() -> None:
    """In a value."""
    asker = Asker(RedisOptions("redis://127.0.0.1:1"))
    await asker.ask(asker.writes, 0.01, "SET", "key", USER.encode())
    await asker.aclose()


async def in_a_span() -> None:
    """As an attribute of a span."""
    span = trace.TracerProvider().get_tracer("test").start_span("rank")
    span.set_attribute("user", USER)
    span.end()


async def in_a_span_of_our_own() -> None:
    """As an attribute of a span of a trace that we send ourselves."""
    span = LeanRecorder().tracer.request("rank", ())
    span.note("user", USER)
    span.end()


async def in_what_a_process_says() -> None:
    """On standard error."""
    subprocess.run([sys.executable, "-c", SAYS], capture_output=True, check=True)  # noqa: ASYNC221 - for a moment


async def in_what_a_process_of_asyncio_says() -> None:
    """On standard error."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SAYS, stderr=asyncio.subprocess.PIPE)
    await process.communicate()


PLACES = [
    in_a_log, in_the_event_of_a_log, in_a_traceback, in_a_log_of_a_library, in_a_traceback_of_a_library, in_an_error,
    in_a_key_in_memory, in_a_key_in_redis, in_a_value_in_redis, in_a_span, in_a_span_of_our_own,
    in_what_a_process_says, in_what_a_process_of_asyncio_says,
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_a_canary_is_found(place: Callable[[], Awaitable[None]]) -> None:
    """Wherever the gateway says a user's id, the watch sees it."""
    with planted() as found:
        await place()
    assert found
    assert USER in found[0]


@pytest.mark.parametrize(("status", "text", "head", "seen"), [
    (400, f"no {USER}", "", 1), (500, "canary-item-1", "", 1), (200, f'{{"user":"{USER}"}}', "", 1),
    (200, "ok", USER, 1), (200, "canary-item-1", "", 0), (400, "no such user", "", 0),
])  # fmt: skip
async def test_answers(aiohttp_client, status: int, text: str, head: str, seen: int) -> None:
    """Errors name neither users nor items, good answers items alone; heads name nobody."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers={"Server": "rerank-gateway", "X-About": head})

    app = web.Application()
    app.router.add_get("/", answer)
    client = await aiohttp_client(app)
    with planted() as found:
        assert (await client.get("/")).status == status
    assert len(found) == seen


def test_what_is_watched_is_there() -> None:
    """No hook has lost what it wraps: every module has its class, and it is wrapped."""
    for module, (name, _) in HOOKS.items():
        owner = getattr(sys.modules[module], name)
        assert any(getattr(one, "__module__", "") == watch.__module__ or hasattr(one, "__wrapped__")
                   for one in vars(owner).values()), module  # fmt: skip


def test_control_a_test_fails_by_it(pytester: pytest.Pytester) -> None:
    """A test that says a user's id, in itself or while its fixtures end, fails."""
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(f"""
        import pytest
        from tests.support.canaries import watch

        @pytest.fixture
        def talkative():
            yield
            watch("the end", "{USER}")

        def test_it():
            watch("itself", "{USER}")

        def test_its_end(talkative):
            pass

        def test_nothing():
            pass
    """)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "ignore")
    result.assert_outcomes(passed=2, failed=1, errors=1)
