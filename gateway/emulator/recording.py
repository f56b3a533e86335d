"""Recordings of what an emulator was asked: what traffic looked like, and nothing of whom it was about.

A recording is a file of JSON lines. The first line is the head, each other line one call, in the order of arrival:

    {"version": 1}
    {"atMs": 12.5, "operation": "GetPersonalizedRanking", "arn": "arn:...", "bodyBytes": 812, "count": 2,
     "user": "6b1f0c9a2e77d410", "items": ["0d5a...", "93bc..."]}

    atMs             milliseconds since the recording began
    operation, arn   what was called: a campaign, a recommender, or (PutEvents) a tracking id
    bodyBytes        the size of the request's body
    count            items to rank, numResults, or events
    user, session    who asked, where there was one; `item` the itemId of a call for related items
    items            the inputList in its order, or the items of the events
    eventTypes       of the events, in step with `items`
    filterArn, metadataColumns, contextNames   as asked; the values of filters and contexts are not recorded

Ids are hashed with a random key that is made for each recording and kept nowhere: within one recording equal ids stay
equal, and so does the overlap of lists; two recordings cannot be joined, and no id can be found again by guessing.
`python -m loadtests.replay` replays them.
"""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from gateway.emulator.actions import ActionsCall
from gateway.emulator.config import ConfigError
from gateway.emulator.events_wire import EventsCall
from gateway.emulator.recommendations_wire import RecommendationsCall
from gateway.emulator.wire import Call, ItemsCall, RankingCall

VERSION: Final = 1
HASH_BYTES: Final = 8  # a billion ids meet by chance with 3 %, a million never
RECORDING_BYTES_MAX: Final = 4 << 30  # 400,000 calls of 500 items; a forgotten recording does not fill the disk

log = logging.getLogger(__name__)


class Head(msgspec.Struct):
    """The first line."""

    version: int


class RecordedCall(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One call; see above."""

    at_ms: float
    operation: str
    arn: str
    body_bytes: int
    count: int = 0
    user: str | None = None
    session: str | None = None
    item: str | None = None
    items: list[str] = []
    event_types: list[str] = []
    filter_arn: str | None = None
    metadata_columns: list[str] = []
    context_names: list[str] = []


class Recorder:
    """Writes a recording to a new file, from `open` to `close`; without a path it records nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._key = secrets.token_bytes(32)
        self._file: BinaryIO | None = None
        self._began: float | None = None
        self._written_bytes = 0

    def __repr__(self) -> str:
        return f"Recorder(open={self._file is not None}, written_bytes={self._written_bytes})"

    def open(self) -> None:
        """Begin.

        Raises:
            ConfigError: there is such a file already, or it cannot be written.
        """
        if self._path is None:
            return
        try:
            self._file = self._path.open("xb")
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be recorded to: {error.strerror}") from error
        self._write(Head(VERSION))

    def close(self) -> None:
        """End; what was recorded is in the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def note(self, operation: str, call: Call | EventsCall, body_bytes: int, now: float) -> None:
        """Record a call that arrived now."""
        if self._file is None:
            return
        if self._written_bytes >= RECORDING_BYTES_MAX:
            log.warning("the recording is full: %d bytes", self._written_bytes)
            self.close()
            return
        if self._began is None:
            self._began = now
        at_ms = round((now - self._began) * 1000, 3)
        line = RecordedCall(at_ms=at_ms, operation=operation, arn="", body_bytes=body_bytes)
        if isinstance(call, EventsCall):
            self._fill_events(line, call)
        else:
            self._fill(line, call)
        self._write(line)

    def _fill_events(self, line: RecordedCall, call: EventsCall) -> None:
        line.arn, line.count = call.tracking_id, len(call.events)
        line.user, line.session = self._id(call.user_id), self._id(call.session_id)
        line.items = self._ids(event.item_id or "" for event in call.events)
        line.event_types = [event.event_type or "" for event in call.events]

    def _fill(self, line: RecordedCall, call: Call) -> None:
        line.arn, line.user, line.filter_arn = call.arn, self._id(call.user_id), call.filter_arn
        if isinstance(call, ItemsCall):
            line.metadata_columns = call.metadata_columns.get("ITEMS", [])
            line.context_names = list(call.context)
        if isinstance(call, RankingCall):
            line.count, line.items = len(call.input_list), self._ids(call.input_list)
        if isinstance(call, RecommendationsCall):
            line.count, line.item = call.num_results or 0, self._id(call.item_id)
        if isinstance(call, ActionsCall):
            line.count = call.num_results or 0

    def _id(self, text: str | None) -> str | None:
        return next(iter(self._ids([text]))) if text else None

    def _ids(self, texts: Iterable[str]) -> list[str]:
        digest, key = hashlib.blake2b, self._key
        return [
            digest(text.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES, key=key).hexdigest() if text else ""
            for text in texts
        ]

    def _write(self, line: Head | RecordedCall) -> None:
        if self._file is not None:
            self._written_bytes += self._file.write(msgspec.json.encode(line) + b"\n")
