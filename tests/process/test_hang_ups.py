"""SIGHUP: a terminal that closes takes no request along, and a gateway that was told not to mind it serves on."""

import asyncio
import os
import pty
import signal
from pathlib import Path

import looptime
import orjson
import pytest

from gateway.serving import until_told_again
from tests.process.parts import WITHIN_S, running, signed, until
from tests.process.served import Hanging, end, get, post

AT_TERMINAL = ("setsid", "sh", "-c", 'exec "$@" <"$0" 2>"$0"')
"""Makes the terminal that is named next the one that the program belongs to, and logs to."""


def test_a_closed_terminal(hanging: Hanging) -> None:
    """The terminal that the gateway runs at is closed, and its log with it: what comes in the lame duck and what is
    under way is answered; exit code 0."""
    terminal, inside = pty.openpty()
    through = (*AT_TERMINAL, os.ttyname(inside))
    try:
        with running(
            "serve", "--port", "0", env=signed(hanging.url, GATEWAY_SERVER__LAME_DUCK_S="600"), through=through
        ) as gateway:
            os.close(inside)
            assert not ignores_hang_up(gateway.process.pid)
            connection = post(gateway.port)
            assert hanging.arrived.wait(WITHIN_S)
            os.close(terminal)
            terminal = -1
            until(lambda: get(gateway.port, "/readyz") == (503, "close"), "the lame duck")
            gateway.process.send_signal(signal.SIGTERM)  # enough of the lame duck
            hanging.let_go.set()
            response = connection.getresponse()
            answer = orjson.loads(response.read())
            connection.close()
            assert (response.status, len(answer["personalizedRanking"])) == (200, 2)
            code, _, _ = end(gateway.process)
        assert code == 0
    finally:
        if terminal >= 0:
            os.close(terminal)


def test_nohup() -> None:
    """A gateway that `nohup` starts goes on ignoring SIGHUP; one at a terminal (the control above) does not."""
    with running("serve", "--port", "0", env=signed("http://127.0.0.1:1"), through=("nohup",)) as gateway:
        assert ignores_hang_up(gateway.process.pid)


def ignores_hang_up(pid: int) -> bool:
    """Whether the system drops the signal for the process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return bool(int(status.partition("SigIgn:")[2].split()[0], 16) >> (signal.SIGHUP - 1) & 1)


@pytest.mark.parametrize(
    ("told", "lasts_s"),
    [([signal.SIGHUP] * 3, 600.0), ([signal.SIGTERM], 0.0), ([signal.SIGHUP, signal.SIGINT], 0.0)],
)
def test_who_ends_the_lame_duck(told: list[signal.Signals], lasts_s: float) -> None:
    """A closing terminal may send its signal several times, which hurries nobody; another signal does."""

    async def lame_duck() -> float:
        ends: asyncio.Queue[signal.Signals] = asyncio.Queue()
        for number in told:
            ends.put_nowait(number)
        begun_s = asyncio.get_running_loop().time()
        await until_told_again(ends, 600.0)
        return asyncio.get_running_loop().time() - begun_s

    loop = looptime.new_event_loop()
    try:
        assert loop.run_until_complete(lame_duck()) == lasts_s
    finally:
        loop.close()
