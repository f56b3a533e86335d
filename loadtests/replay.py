"""Replays a recording of the emulator (`rerank-gateway emulate --record FILE`) against an emulator, a gateway or AWS.

    python -m loadtests.replay FILE --url URL [--speed 2] [--items FILE] [--arn ARN] [--json]

Every call is sent at its recorded time, divided by --speed, whether or not earlier ones were answered; only above
--in-flight open calls it waits, and tells by how much it was late. The format of the file is described in
gateway/emulator/recording.py. It has hashes in place of ids, so ids are cast anew: the n-th different item of the
recording is the n-th of --items (a file with one id a line; without it, the items of an emulator at URL, most popular
first), and where these end, or for users, the hash itself. So lists overlap as they did, and repeat as they did. Values
of filters and contexts were not recorded and are not sent. Calls are not signed.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import aiohttp
import msgspec
import orjson

from gateway.emulator.recording import VERSION, Head, RecordedCall

IN_FLIGHT: Final = 256  # as many open calls as one process can serve without measuring itself
TIMEOUT_S: Final = 60.0  # the SDKs' own
ITEMS_MAX: Final = 100_000

_HEAD: Final = msgspec.json.Decoder(Head)
_CALL: Final = msgspec.json.Decoder(RecordedCall)

PATHS: Final[dict[str, str]] = {
    "GetPersonalizedRanking": "/personalize-ranking",
    "GetRecommendations": "/recommendations",
    "GetActionRecommendations": "/action-recommendations",
    "PutEvents": "/events",
}


def read_recording(path: Path) -> Iterator[RecordedCall]:
    """The calls of a recording, in their order.

    Raises:
        SystemExit: it cannot be read, or is not a recording of this version; says which line.
    """
    try:
        recording = path.open("rb")
    except OSError as error:
        raise SystemExit(f"{path}: cannot be read: {error.strerror}") from error
    with recording as lines:
        for number, line in enumerate(lines, start=1):
            try:
                if number > 1:
                    yield _CALL.decode(line)
                elif _HEAD.decode(line).version != VERSION:
                    raise SystemExit(f"{path}: is not of version {VERSION}")
            except msgspec.DecodeError as error:
                raise SystemExit(f"{path}, line {number}: {error}") from error


class Cast:
    """Gives every hash an id: the next of `ids`, or itself when they are used up."""

    def __init__(self, ids: Sequence[str] = ()) -> None:
        self._left = iter(ids)
        self._given: dict[str, str] = {}

    def __call__(self, digest: str) -> str:
        """The id of a hash."""
        if digest not in self._given:
            self._given[digest] = next(self._left, digest)
        return self._given[digest]


def body_of(call: RecordedCall, items: Cast, arn: str | None = None) -> dict[str, Any]:
    """The members of a call like the recorded one; `arn` in place of the recorded one."""
    if call.operation == "PutEvents":
        events = zip(call.event_types, call.items, strict=True)
        return {
            "trackingId": call.arn,
            "userId": call.user,
            "sessionId": call.session,
            "eventList": [
                {"eventType": kind, "sentAt": int(time.time()), "itemId": items(item) if item else None}
                for kind, item in events
            ],
        }
    target = arn or call.arn
    body: dict[str, Any] = {
        "recommenderArn" if ":recommender/" in target else "campaignArn": target,
        "userId": call.user,
        "filterArn": call.filter_arn,
    }
    if call.metadata_columns:
        body["metadataColumns"] = {"ITEMS": call.metadata_columns}
    if call.operation == "GetPersonalizedRanking":
        body["inputList"] = [items(item) for item in call.items]
    else:
        body["itemId"] = items(call.item) if call.item else None
        body["numResults"] = call.count or None
    return {name: value for name, value in body.items() if value is not None}


@dataclass
class Replayed:
    """What a replay met."""

    statuses: Counter[str] = field(default_factory=Counter)
    took_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The figures, for people and programs."""
        cuts = quantiles(self.took_ms, n=100, method="inclusive") if len(self.took_ms) > 1 else self.took_ms * 99
        percentiles = {f"p{number}": round(cuts[number - 1], 2) for number in (50, 95, 99)} if cuts else {}
        return {
            "calls": sum(self.statuses.values()),
            "statuses": dict(self.statuses),
            "tookMs": percentiles,
            "lateMsMax": round(max(self.late_ms, default=0.0), 2),
        }


def due_s(call: RecordedCall, speed: float) -> float:
    """When a call is sent, in seconds from the beginning."""
    return call.at_ms / 1000 / speed


async def replay(
    calls: Iterator[RecordedCall],
    url: str,
    *,
    items: Sequence[str] | None = None,
    arn: str | None = None,
    speed: float = 1.0,
    in_flight: int = IN_FLIGHT,
) -> Replayed:
    """Send the calls at their times."""
    replayed, permits = Replayed(), asyncio.Semaphore(in_flight)
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        cast = Cast(await _items(session, url) if items is None else items)
        began = loop.time()

        async def one(call: RecordedCall) -> None:
            sent = loop.time()
            try:
                body = orjson.dumps(body_of(call, cast, arn))
                headers = {"Content-Type": "application/json"}
                async with session.post(url + PATHS[call.operation], data=body, headers=headers) as response:
                    await response.read()
                    replayed.statuses[str(response.status)] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                replayed.statuses[type(error).__name__] += 1
            finally:
                permits.release()
            replayed.took_ms.append((loop.time() - sent) * 1000)

        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                due = began + due_s(call, speed)
                await asyncio.sleep(max(0.0, due - loop.time()))
                await permits.acquire()
                replayed.late_ms.append(max(0.0, (loop.time() - due) * 1000))
                tasks.create_task(one(call))
    return replayed


async def _items(session: aiohttp.ClientSession, url: str) -> list[str]:
    """The items of an emulator, none of anything else."""
    async with session.get(f"{url}/_emulator/items?limit={ITEMS_MAX}") as response:
        if response.status != 200:
            return []
        return [item["itemId"] for item in orjson.loads(await response.read())["items"]]


def main() -> None:
    """Replay and print what came back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", required=True)
    parser.add_argument("--speed", type=float, default=1.0, help="2: twice as fast as it was recorded")
    parser.add_argument("--items", type=Path, help="ids for the items, one a line")
    parser.add_argument("--arn", help="call this campaign, whichever was recorded")
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    replayed = asyncio.run(
        replay(
            read_recording(options.file),
            options.url.rstrip("/"),
            items=options.items.read_text(encoding="utf-8").split() if options.items else None,
            arn=options.arn,
            speed=options.speed,
            in_flight=options.in_flight,
        )
    )
    summary = replayed.summary()
    if options.json:
        print(orjson.dumps(summary).decode())
        return
    print(f"{summary['calls']} calls, by status {summary['statuses']}, took {summary['tookMs']} ms,", end=" ")
    print(f"sent at most {summary['lateMsMax']} ms late")


if __name__ == "__main__":
    main()
