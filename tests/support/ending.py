"""How the endpoints of tests end when they are processes of their own: told to, or by themselves after a while."""

import asyncio
import signal


class Ending:
    """Takes SIGTERM and SIGINT from the moment it is made."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._told.set)

    async def wait(self, seconds: float) -> None:
        """Until the process is told to end, or so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            return
