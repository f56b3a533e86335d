"""The gateway under cProfile: SIGUSR1 begins, SIGTERM ends; then the profile is in the file that was named.

Its clock is the CPU time of the thread, so that other processes do not show. Python code looks dearer under a profiler
than it is, C code does not: good for finding, not for measuring.
"""

import asyncio
import cProfile
import signal
import sys
import time

import uvloop

from gateway import serving, settings
from gateway.adapters import logs


async def main(profile: cProfile.Profile) -> None:
    """Serve until SIGTERM."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, profile.enable)
    configured = settings.load(options={"server": {"port": 0, "lame_duck_s": 0.0}})
    logs.configure(configured.log.level, configured.log.format)
    await serving.serve(configured, lambda url: print(f"listening on {url}", flush=True))


if __name__ == "__main__":
    made = cProfile.Profile(time.thread_time)
    uvloop.run(main(made))
    made.disable()
    made.dump_stats(sys.argv[1])
