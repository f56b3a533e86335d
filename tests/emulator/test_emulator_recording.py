"""Recordings: what they hold and what they never hold, and a replay that asks the same again."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.emulator import recording
from gateway.emulator.config import ConfigError, EmulatorConfig
from gateway.emulator.recording import Recorder
from gateway.emulator.server import build_app
from gateway.emulator.wire import decode_ranking
from loadtests.replay import Cast, body_of, due_s, read_recording, replay

PREFIX = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
SECRETS = ("person-42", "visit-17", "p00003", "p00004", "strange", "mobile")


def calls(click: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """One call of every operation, with all that could tell something about a person."""
    ranking = {"campaignArn": PREFIX, "userId": "person-42", "inputList": ["p00003", "p00004", "strange"]}
    return [
        ("/personalize-ranking", ranking | {"context": {"DEVICE": "mobile"}}),
        ("/personalize-ranking", ranking | {"inputList": ["p00004"], "metadataColumns": {"ITEMS": ["TITLE"]}}),
        ("/recommendations", {"campaignArn": f"{PREFIX}-related", "itemId": "p00003", "numResults": 7}),
        ("/action-recommendations", {"campaignArn": f"{PREFIX}-actions", "userId": "person-42"}),
        ("/events", click | {"userId": "person-42", "sessionId": "visit-17"}),
    ]


async def recorded(aiohttp_client: Any, path: Path, click: dict[str, Any]) -> Any:
    """Record these calls; the counters of the emulator that was asked."""
    clock = iter(range(1_000_000))
    client = await aiohttp_client(build_app(EmulatorConfig(record=path), clock=lambda: float(next(clock))))
    for route, call in calls(click):
        async with client.post(route, json=call) as response:
            assert response.status == 200, await response.text()
    async with client.get("/_emulator/stats") as response:
        stats = orjson.loads(await response.read())
    await client.close()
    return stats


async def test_a_recording_names_nobody(aiohttp_client: Any, tmp_path: Path, click: dict[str, Any]) -> None:
    """No id, no session and no value of a context stands in the file; equal ids have equal hashes in it."""
    path = tmp_path / "calls.jsonl"
    await recorded(aiohttp_client, path, click)
    text = path.read_text()
    assert not [secret for secret in SECRETS if secret in text]
    first, second, related, actions, events = read_recording(path)
    assert [one.operation for one in (first, related, actions, events)] == [
        "GetPersonalizedRanking",
        "GetRecommendations",
        "GetActionRecommendations",
        "PutEvents",
    ]
    assert first.user == second.user == actions.user == events.user
    assert first.items[1:2] == second.items
    assert related.item == first.items[0] == events.items[0]
    assert (first.count, related.count, events.count, first.context_names) == (3, 7, 1, ["DEVICE"])
    assert second.metadata_columns == ["TITLE"]
    times = [one.at_ms for one in (first, second, related, actions, events)]
    assert times[0] == 0
    assert all(one < other for one, other in pairwise(times))


async def test_two_recordings_cannot_be_joined(aiohttp_client: Any, tmp_path: Path, click: dict[str, Any]) -> None:
    """The same calls, recorded twice, have no hash in common."""
    hashes = []
    for name in ("one", "two"):
        await recorded(aiohttp_client, tmp_path / name, click)
        hashes.append({item for call in read_recording(tmp_path / name) for item in (call.user, *call.items)})
    assert hashes[0] & hashes[1] <= {None}


async def test_a_replay_asks_the_same_again(aiohttp_client: Any, tmp_path: Path, click: dict[str, Any]) -> None:
    """The replayed calls have the operations, campaigns and sizes of the recorded ones, and are answered."""
    path = tmp_path / "calls.jsonl"
    before = await recorded(aiohttp_client, path, click)
    client = await aiohttp_client(build_app(EmulatorConfig()))
    replayed = await replay(read_recording(path), str(client.make_url("")).rstrip("/"), speed=1e6)
    async with client.get("/_emulator/stats") as response:
        after = orjson.loads(await response.read())
    assert replayed.summary()["statuses"] == {"200": 5}
    for name in ("callsByOperation", "callsByCampaign", "sizes", "events"):
        assert after[name] == before[name]


@pytest.mark.parametrize(("speed", "expected"), [(1.0, 2.5), (10.0, 0.25), (0.5, 5.0)])
def test_a_replay_keeps_the_times(speed: float, expected: float) -> None:
    """Calls are due at their recorded times, divided by the speed."""
    call = recording.RecordedCall(at_ms=2500, operation="GetRecommendations", arn=PREFIX, body_bytes=9)
    assert due_s(call, speed) == expected


def test_ids_are_cast_anew() -> None:
    """Different hashes get different ids, equal ones the same, and beyond the given ids the hash stays."""
    cast = Cast(["a", "b"])
    assert [cast(digest) for digest in ("x", "y", "x", "z", "z")] == ["a", "b", "a", "z", "z"]


def test_another_campaign_can_be_asked() -> None:
    """A replay can be sent to another ARN, a recommender too."""
    call = recording.RecordedCall(at_ms=0, operation="GetRecommendations", arn=PREFIX, body_bytes=9, count=3, user="u")
    arn = PREFIX.replace("campaign/", "recommender/")
    assert body_of(call, Cast(), arn) == {"recommenderArn": arn, "userId": "u", "numResults": 3}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there already is refused by its name, and one that cannot be made too."""
    (tmp_path / "kept").write_text("precious")
    for path in (tmp_path / "kept", tmp_path / "no" / "such" / "folder"):
        with pytest.raises(ConfigError, match=r"cannot be recorded to"):
            Recorder(path).open()
    assert (tmp_path / "kept").read_text() == "precious"


def test_a_recording_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: dict[str, Any]) -> None:
    """A recording ends by itself when it is full, and the file stays readable."""
    monkeypatch.setattr(recording, "RECORDING_BYTES_MAX", 600)
    recorder = Recorder(tmp_path / "full")
    recorder.open()
    for number in range(100):
        recorder.note("GetPersonalizedRanking", decode_ranking(orjson.dumps(members)), 80, float(number))
    assert repr(recorder).startswith("Recorder(open=False")
    assert 1 <= len(list(read_recording(tmp_path / "full"))) < 10


@pytest.mark.parametrize(
    ("text", "what"),
    [(b'{"version": 9}\n', "version"), (b'{"version": 1}\nnonsense\n', "line 2"), (b"nonsense\n", "line 1")],
)
def test_what_is_no_recording(tmp_path: Path, text: bytes, what: str) -> None:
    """A file that is no recording is refused with its line, one that is not there in words."""
    (tmp_path / "calls").write_bytes(text)
    with pytest.raises(SystemExit, match=what):
        list(read_recording(tmp_path / "calls"))
    with pytest.raises(SystemExit, match="none: cannot be read"):
        list(read_recording(tmp_path / "none"))
