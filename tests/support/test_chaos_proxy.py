"""Each toxic does to a naive client what it says, and a schedule depends on its seed alone."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.chaos_proxy.proxy import ChaosProxy, proxying
from tests.support.chaos_proxy.schedule import USUAL, Step, active, drawn, parsed
from tests.support.chaos_proxy.toxics import TOXICS

WITHIN_S = 20.0
"""Only ends a test that would hang."""

NOT_YET_S = 0.1
"""How long a naive client is watched waiting for what does not come."""


class Echo:
    """Answers every line with `reply:LINE`, and keeps what it read."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.ended = asyncio.Semaphore(0)
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.lines.append(line)
                writer.write(b"reply:" + line)
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.ended.release()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """A server to put the proxy in front of."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    echo.port = server.sockets[0].getsockname()[1]
    yield echo
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def through(echo: Echo, *steps: Step, seed: int = 0) -> AsyncIterator[ChaosProxy]:
    """A proxy with these steps in front of the server."""
    async with asyncio.timeout(WITHIN_S), proxying(("127.0.0.1", echo.port), steps, seed=seed) as proxy:
        yield proxy


@asynccontextmanager
async def connected(proxy: ChaosProxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A naive client's connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def silent(reader: asyncio.StreamReader, count: int = 1) -> bool:
    """Whether a naive client is still waiting for so many bytes."""
    try:
        async with asyncio.timeout(NOT_YET_S):
            await reader.readexactly(count)
    except TimeoutError:
        return True
    return False


async def test_without_toxics_all_passes(echo: Echo) -> None:
    """A proxy without steps changes nothing, both ways, up to the end of both sides."""
    async with through(echo) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a\n" * 50_000)
        writer.write_eof()
        assert await reader.read() == b"reply:a\n" * 50_000
    assert len(echo.lines) == 50_000
    assert proxy.stats.told() == {
        "connections": 1, "open": 0, "refused": 0, "bytesUp": 100_000, "bytesDown": 400_000, "done": {},
    }  # fmt: skip


async def test_latency(echo: Echo) -> None:
    """A reply comes later, whole."""
    async with (
        through(echo, Step("latency", {"delay_s": 2 * NOT_YET_S})) as proxy,
        connected(proxy) as (reader, writer),
    ):
        writer.write(b"a\n")
        assert await silent(reader)
        assert await reader.readline() == b"reply:a\n"
    assert proxy.stats.done["latency"] == 1


async def test_reset(echo: Echo) -> None:
    """After so many bytes a client that reads on is told that its connection was reset."""
    async with through(echo, Step("reset", {"after_bytes": 3})) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a\n")
        with pytest.raises(ConnectionResetError):
            await reader.readline()
        await echo.ended.acquire()


async def test_truncate(echo: Echo) -> None:
    """A client that takes the end of the stream for the end of the reply has half a reply."""
    async with through(echo, Step("truncate", {"after_bytes": 3})) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a\n")
        assert await reader.read() == b"rep"
        await echo.ended.acquire()


async def test_half_close(echo: Echo) -> None:
    """The client sees an end after so many bytes, yet what it sends still arrives."""
    async with through(echo, Step("half-close", {"after_bytes": 3})) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a\n")
        assert await reader.read() == b"rep"
        writer.write(b"b\n")
        writer.write_eof()
        await echo.ended.acquire()
    assert echo.lines == [b"a\n", b"b\n"]


async def test_slice(echo: Echo) -> None:
    """A client that takes one read for one reply gets a piece of it; read on, all pieces make the whole."""
    step = Step("slice", {"piece_bytes": 3, "pause_s": NOT_YET_S / 10})
    async with through(echo, step) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"abc\n")
        assert await reader.read(100) == b"rep"
        assert await reader.readline() == b"ly:abc\n"


async def test_drip(echo: Echo) -> None:
    """Bytes come one by one, each in time, and the reply does not."""
    async with through(echo, Step("drip", {"every_s": NOT_YET_S / 2})) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"abc\n")
        assert await reader.readexactly(1) == b"r"
        assert await silent(reader, 9)


async def test_blackhole(echo: Echo) -> None:
    """Requests arrive, replies never do, and nobody is told; when the client leaves, the server is."""
    async with through(echo, Step("blackhole")) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(b"a\n")
            assert await silent(reader)
            assert not reader.at_eof()
        await echo.ended.acquire()
    assert echo.lines == [b"a\n"]


async def test_upward(echo: Echo) -> None:
    """A toxic on the way up keeps the request from the server."""
    async with through(echo, *parsed("blackhole/up")) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a\n")
        assert await silent(reader)
    assert echo.lines == []


async def test_swap(echo: Echo) -> None:
    """Two clients that await replies get each other's, whole and well-formed; a client alone keeps its own."""
    async with through(echo, Step("swap", {"hold_s": 5.0})) as proxy:
        async with connected(proxy) as (reader, writer), connected(proxy) as (other_reader, other_writer):
            writer.write(b"mine\n")
            other_writer.write(b"theirs\n")
            assert await reader.readline() == b"reply:theirs\n"
            assert await other_reader.readline() == b"reply:mine\n"
        proxy.steps = [Step("swap", {"hold_s": 0.01})]
        async with connected(proxy) as (reader, writer):
            writer.write(b"alone\n")
            assert await reader.readline() == b"reply:alone\n"
    assert proxy.stats.done["swap"] == 1


async def test_toxics_compose(echo: Echo) -> None:
    """Late, in pieces, and cut off: each toxic hands on to the next."""
    steps = parsed("latency:delay_s=0.01; slice:piece_bytes=2; truncate:after_bytes=5")
    async with through(echo, *steps) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a\n")
        assert await reader.read() == b"reply"
    assert proxy.stats.done.keys() == {"latency", "slice", "truncate"}


async def test_a_target_that_is_not_there() -> None:
    """Where nobody listens behind the proxy, the client's connection ends."""
    async with asyncio.timeout(WITHIN_S), proxying(("127.0.0.1", 1)) as proxy, connected(proxy) as (reader, _):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    assert proxy.stats.refused == 1


def test_every_toxic_can_be_drawn_and_written() -> None:
    """The table of toxics, the parameters of drawn ones and the words of a schedule are the same set."""
    assert TOXICS.keys() == USUAL.keys()
    assert [step.toxic for step in parsed(";".join(TOXICS))] == list(TOXICS)


def test_a_schedule_is_a_function_of_its_seed() -> None:
    """The same seed draws the same steps and meets the same connections; another seed others."""
    assert drawn(7, 60.0) == drawn(7, 60.0) != drawn(8, 60.0)
    assert all(0.0 <= step.begin_s < step.end_s <= 60.0 for step in drawn(7, 60.0))
    assert {step.toxic for step in drawn(7, 600.0)} == set(TOXICS)
    half = [Step("reset", share=0.5)]
    met = [
        [bool(active(half, seed=seed, connection=n, side="down", now_s=0.0)) for n in range(500)] for seed in (1, 1, 2)
    ]
    assert met[0] == met[1] != met[2]
    assert 200 < sum(met[0]) < 300


def test_steps_act_in_their_window_and_direction() -> None:
    """A step acts from its beginning until before its end, on one direction."""
    steps = parsed("reset:after_bytes=1e3@1-2; drip@1.5-%0.999; latency/up")
    assert steps[0] == Step("reset", {"after_bytes": 1000.0}, 1.0, 2.0)
    assert steps[1].end_s == float("inf")
    at = {now_s: active(steps, seed=0, connection=0, side="down", now_s=now_s) for now_s in (0.5, 1.0, 1.5, 2.0)}
    assert [[step.toxic for step in at[now_s]] for now_s in at] == [[], ["reset"], ["reset", "drip"], ["drip"]]
    assert [step.toxic for step in active(steps, seed=0, connection=0, side="up", now_s=1.0)] == ["latency"]


@pytest.mark.parametrize("text", ["resett", "reset:after=x", "reset@5", "reset 5"])
def test_what_is_no_schedule(text: str) -> None:
    """A step that cannot be meant is refused."""
    with pytest.raises(ValueError, match="not a step"):
        parsed(text)


def start(port: int, *options: str) -> Awaitable[asyncio.subprocess.Process]:
    """The proxy as a process."""
    words = ("-m", "tests.support.chaos_proxy", "--target", f"127.0.0.1:{port}", *options)
    return asyncio.create_subprocess_exec(sys.executable, *words, cwd=Path(__file__).parents[2], stdout=PIPE)


async def test_as_a_process(echo: Echo) -> None:
    """The process prints its address, proxies by its schedule, and tells what it did when it is told to end."""
    async with asyncio.timeout(WITHIN_S):
        process = await start(echo.port, "--schedule", "truncate:after_bytes=2")
        line = await process.stdout.readline()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(line.rpartition(b":")[2]))
        writer.write(b"a\n")
        assert await reader.read() == b"re"
        writer.close()
        process.terminate()
        told, _ = await process.communicate()
    assert b'"truncate":1' in told
    assert process.returncode == 0


async def test_the_process_ends_by_itself(echo: Echo) -> None:
    """When its seconds are over the process ends without being told."""
    async with asyncio.timeout(WITHIN_S):
        process = await start(echo.port, "--schedule", "random", "--seconds", "0.01")
        told, _ = await process.communicate()
    assert b'"connections":0' in told
    assert process.returncode == 0
