"""`deploy/haproxy/haproxy.cfg`: its times fit those of the gateway, and haproxy, where there is one, takes it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.settings import ServerSettings
from gateway.web.listeners import LAST_CALL_S

CONFIG = Path(__file__).parents[2] / "deploy/haproxy/haproxy.cfg"
TEXT = CONFIG.read_text()
DEADLINE_MAX_S = 30.0
UNITS = {"ms": 1e-3, "s": 1.0}


def seconds(pattern: str) -> float:
    """The one time that stands after these words."""
    ((number, unit),) = re.findall(rf"^    {pattern} (\d+)(ms|s)\b", TEXT, re.MULTILINE)
    return int(number) * UNITS[unit]


def test_it_sees_a_gateway_drain_in_time() -> None:
    """The checks of /readyz have failed often enough well before the default lame duck is over."""
    server = ServerSettings()
    falls = int(re.findall(r"\bfall (\d+)", TEXT)[0])
    assert "send meth GET uri /readyz" in TEXT
    assert seconds("default-server check inter") * (falls + 1) < server.lame_duck_s


def test_its_patience_is_longer_than_a_deadline() -> None:
    """No answer that comes within the longest deadline is cut off; what was sent once is not sent again."""
    assert seconds("timeout server") > DEADLINE_MAX_S
    assert seconds("timeout client") > DEADLINE_MAX_S
    assert re.findall(r"retry-on (.*)", TEXT)[-1] == "conn-failure"


def test_the_last_call_is_short() -> None:
    """What the runbook's arithmetic adds for it is what it takes."""
    assert LAST_CALL_S <= 1.0


def test_haproxy_takes_it() -> None:
    """The file is valid."""
    program = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("no haproxy here")
    variables = {"BIND": "127.0.0.1:18080"} | {f"GATEWAY_{n}": f"127.0.0.1:{n}" for n in (1, 2, 3)}
    assert subprocess.run([program, "-c", "-q", "-f", str(CONFIG)], env=variables, check=False).returncode == 0
