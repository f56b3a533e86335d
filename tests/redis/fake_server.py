"""A server of bytes: says hello as Redis does, then whatever a test wants it to say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import hiredis

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
EMPTY = b"*2\r\n_\r\n_\r\n"
"""What MGET answers for two keys that do not exist."""


@dataclass
class FakeServer:
    """Answers every command but HELLO by `reply(command)`; None closes the connection. Counts connections."""

    reply: Callable[[list[bytes]], bytes | None]
    port: int = 0
    connections: int = 0
    tasks: set[asyncio.Task] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        parser = hiredis.Reader()
        try:
            while data := await reader.read(65_536):
                parser.feed(data)
                while (command := parser.gets()) is not False:
                    answer = HELLO if command[0] == b"HELLO" else self.reply(command)
                    if answer is None:
                        return
                    writer.write(answer)
        except ConnectionError:
            pass
        finally:
            self.tasks.discard(asyncio.current_task())
            writer.close()


@asynccontextmanager
async def fake_server(reply: Callable[[list[bytes]], bytes | None]) -> AsyncIterator[FakeServer]:
    """Serve on a free port of loopback."""
    fake = FakeServer(reply)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        for task in fake.tasks:
            task.cancel()
        if fake.tasks:
            await asyncio.wait(set(fake.tasks))
        await server.wait_closed()
