"""The positive control: a client that shares one connection wrongly, as some did in 2023.

It sends, then reads the next reply. Who is cancelled in between leaves a reply behind, and the next caller takes it
for their own. A check that finds nothing wrong here checks nothing.
"""

import asyncio

import hiredis

from gateway.adapters.codec import Rejected, decode
from gateway.ports import Kept
from tests.redis.frames import Key


class NaiveClient:
    """`load` as a store's, over one connection without any correlation."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._parser = hiredis.Reader()
        self._lock = asyncio.Lock()
        self.foreign = 0

    @classmethod
    async def connect(cls, port: int) -> "NaiveClient":
        """Connect to a server on loopback."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def load(self, key: Key) -> Kept:
        """Whatever comes next on the connection; what the envelope finds to be foreign is counted."""
        name = key.frame.encode()
        self._writer.write(b"*2\r\n$4\r\nMGET\r\n$%d\r\n%b\r\n" % (len(name), name))
        async with self._lock:  # replies are read in the order of the commands, as long as all wait for theirs
            while (reply := self._parser.gets()) is False:
                self._parser.feed(await self._reader.read(65_536))
        try:
            return Kept(0, decode(key.frame, *reply))
        except Rejected as why:
            self.foreign += str(why) == "key"
            return Kept(0, None)

    async def aclose(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()
