"""The configuration file, latency, and a whole life of the server in a process of its own."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from rich.pretty import pretty_repr

from gateway.emulator.config import ConfigError, EmulatorConfig, KeyPair, load
from gateway.emulator.latency import Latency
from gateway.emulator.server import build_app

SERVE = """
import asyncio
from gateway.emulator.config import EmulatorConfig
from gateway.emulator.server import serve
asyncio.run(serve(EmulatorConfig(), "127.0.0.1", 0, lambda url: print(url, flush=True)))
"""


def test_a_full_configuration(tmp_path: Path) -> None:
    """Every setting can be given in the file."""
    path = tmp_path / "emulator.toml"
    path.write_text(
        'latency_ms = 20\nlatency_sigma = 0.4\nseed = 7\nsettle_s = 1.5\nitems = "i.csv"\ninteractions = "e.csv.gz"\n'
        'cache_dir = "kept"\n[[key_pairs]]\naccess_key_id = "AKID"\nsecret_access_key = "s"\n'
    )
    assert load(path) == EmulatorConfig(
        latency_ms=20.0,
        latency_sigma=0.4,
        seed=7,
        settle_s=1.5,
        items=Path("i.csv"),
        interactions=Path("e.csv.gz"),
        cache_dir=Path("kept"),
        key_pairs=(KeyPair(access_key_id="AKID", secret_access_key="s"),),
    )


def test_an_empty_configuration_is_the_default(tmp_path: Path) -> None:
    """Every setting has a default."""
    path = tmp_path / "emulator.toml"
    path.write_text("")
    assert load(path) == EmulatorConfig()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("latency = 5", "latency"),
        ("latency_ms = -1", r"\$\.latency_ms"),
        ("latency_ms = inf", "latency_ms"),
        ("latency_sigma = 4", r"\$\.latency_sigma"),
        ('seed = "x"', r"\$\.seed"),
        ("settle_s = -1", r"\$\.settle_s"),
        ("settle_s = 61", r"\$\.settle_s"),
        ("items = 5", r"\$\.items"),
        ('items = ""', r"\$\.items"),
        ('[[key_pairs]]\naccess_key_id = "A"', "secret_access_key"),
        ("latency_ms =", "Invalid value"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, what: str) -> None:
    """A setting that is unknown, out of range or of the wrong kind is refused with the file and its name."""
    path = tmp_path / "emulator.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"emulator\.toml: .*{what}"):
        load(path)


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and one that is not text are refused by name."""
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        load(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml"):
        load(tmp_path / "binary.toml")


def test_a_secret_does_not_show() -> None:
    """No way of printing a configuration shows a secret."""
    config = EmulatorConfig(key_pairs=(KeyPair(access_key_id="AKID", secret_access_key="hush-hush"),))
    printed = f"{config} {config!r} {config.key_pairs} {pretty_repr(config)}"
    assert "hush-hush" not in printed
    assert "AKID" in printed


def test_latencies_are_lognormal_and_repeat() -> None:
    """Draws have the given median and spread, and the same seed gives the same draws."""
    draws = [Latency(median_ms=20, sigma=0.5, seed=3) for _ in range(2)]
    first, second = ([latency.draw_s() for _ in range(4000)] for latency in draws)
    assert first == second
    assert np.median(first) == pytest.approx(0.020, rel=0.05)
    assert np.std(np.log(first)) == pytest.approx(0.5, rel=0.05)
    assert Latency(median_ms=20, sigma=0, seed=3).draw_s() == pytest.approx(0.020)


async def test_a_call_takes_its_latency(
    aiohttp_client: Any, members: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ranking call waits for what was drawn."""
    waited: list[float] = []

    async def note(delay_s: float) -> None:
        waited.append(delay_s)

    client = await aiohttp_client(build_app(EmulatorConfig(latency_ms=250)))
    monkeypatch.setattr(asyncio, "sleep", note)
    async with client.post("/personalize-ranking", json=members) as response:
        assert response.status == 200
    assert 0.25 in waited


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_a_life_from_announcement_to_signal(members: dict[str, Any], stop: signal.Signals) -> None:
    """The announced address answers, and a stop signal ends the process cleanly and quietly."""
    async with asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/personalize-ranking", json=members) as response,
        ):
            assert response.status == 200
        process.send_signal(stop)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
