"""The positive control: what aiobotocore itself does where the tests beside this one see nothing happen."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiobotocore.credentials import AioRefreshableCredentials

from tests.credentials.source import HOUR_S, Source

CALLERS = 100


def naive(source: Source) -> AioRefreshableCredentials:
    """The SDK's own credentials out of the same source, valid for an hour."""

    def now() -> datetime:
        return datetime.fromtimestamp(source.wall_s(), UTC)

    async def refreshed() -> dict[str, Any]:
        found = await source()
        assert found is not None
        access_key, secret_key, token, _ = found.keys
        expiry = datetime.fromtimestamp(found.expires_s, UTC).isoformat()
        return {"access_key": access_key, "secret_key": secret_key, "token": token, "expiry_time": expiry}

    end = datetime.fromtimestamp(source.wall_s() + HOUR_S, UTC)
    return AioRefreshableCredentials("a", "b", "c", end, refreshed, "container-role", time_fetcher=now)


async def test_the_sdk_fails_calls_whose_credentials_are_valid() -> None:
    """Five minutes before the end, source down: each of a hundred callers asks it, in turn, waits, and fails."""
    source = Source(takes_s=0.05)
    credentials = naive(source)
    source.down()
    await asyncio.sleep(HOUR_S - 300.0)
    began_s = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_fails(credentials)) for _ in range(CALLERS)]
    assert all(call.result() for call in calls)
    assert len(source.asked_s) == CALLERS
    assert asyncio.get_running_loop().time() - began_s > 0.99 * CALLERS * source.takes_s


async def test_the_sdk_lets_calls_wait_for_a_slow_source() -> None:
    """The same with a source that is slow: all wait for it, though what they hold is good for five minutes more."""
    source = Source(takes_s=8.0)
    credentials = naive(source)
    await asyncio.sleep(HOUR_S - 300.0)
    began_s = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_fails(credentials)) for _ in range(CALLERS)]
    assert not any(call.result() for call in calls)
    assert asyncio.get_running_loop().time() - began_s >= source.takes_s


async def _fails(credentials: AioRefreshableCredentials) -> bool:
    try:
        await credentials.get_frozen_credentials()
    except Exception:
        return True
    return False
