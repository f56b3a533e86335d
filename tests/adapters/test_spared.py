"""Libraries that are imported by nobody's wish."""

import subprocess
import sys

import pytest

from gateway.adapters.spared import UNUSED, spared

GATEWAY = """
from gateway.adapters.spared import spared
with spared():
    import gateway.serving
TELL
with spared():
    import gateway.adapters.redis_store
TELL
"""
CARELESS = """
import structlog, redis.asyncio
TELL
"""
TELL = """
import sys
print(*(name for name in ("rich", "opentelemetry.sdk.metrics", "redis") if sys.modules.get(name)))
"""


def imported(program: str) -> list[str]:
    """What a process of its own has of these libraries."""
    command = [sys.executable, "-c", program.replace("TELL", TELL)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_gateway_has_only_what_it_uses() -> None:
    """What `serve` imports has neither of the unused libraries, and redis-py only where there is a Redis; the very
    libraries imported without care (the control) bring them along."""
    assert imported(GATEWAY) == ["", "redis"]
    assert imported(CARELESS) == ["rich opentelemetry.sdk.metrics redis"]


def test_hidden_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within, a library cannot be imported; afterwards it can, even if something within went wrong."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ModuleNotFoundError), spared(("no.such.module", "colorsys")):
        import colorsys  # noqa: F401 - what is tried
    import colorsys as there

    assert there.__name__ == "colorsys"
    assert "no.such.module" not in sys.modules


def test_what_is_there_stays() -> None:
    """A library that somebody has imported already is not taken from them."""
    import structlog

    with spared((*UNUSED, "structlog")):
        import structlog as again
    assert again is structlog
