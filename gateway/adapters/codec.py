"""A frame <-> bytes: compact, versioned, and checked before it is believed.

    envelope   see there; it carries the epoch and the creation time
    counts     items, calls, width of a call index, bytes of the ids, scale id
    columns    log scores (40-bit steps of the grid), grades (8 bit), call indices (8, 16 or 32 bit)
    text       item ids and recommendation ids, joined by U+0000, which no id may hold

Nothing is lost: what comes back is bit for bit what was learnt. A value that is torn, foreign, of another schema or
under another key raises `Rejected` and is a miss: no stored byte is trusted.
"""

import struct
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.adapters.envelope import Envelope, Rejected
from gateway.core.frame import Frame
from gateway.core.ids import SEPARATOR, Ids
from gateway.core.model import LOG_STEP, Floats, Grade, some

ENVELOPE: Final = Envelope(b"RGFR", schema=1)
COUNTS: Final = struct.Struct("<IIII16s")
"""Items, calls, bytes of a call index, bytes of the item ids, scale id."""

LOG_BYTES: Final = 5
LOG_ZERO: Final = 1 << 39
"""Where a log score of 0 stands among the 40-bit numbers: +-255 of them are +-2^39 steps."""

ITEMS_MAX: Final = 1_000_000
"""More rows than any frame has: what claims more is not decoded."""


def encode(key: str, frame: Frame, *, compression: int = 0) -> bytes:
    """The bytes of a frame that is stored under `key`; `compression` is a zlib level, 0 for none.

    Raises `ValueError` for an id with U+0000, which cannot be stored.
    """
    text = frame.ids.text
    calls = SEPARATOR.join(frame.recommendation_ids).encode("utf-8", "surrogatepass")
    if text is None or calls.count(0) != max(0, len(frame.recommendation_ids) - 1):
        raise ValueError("an id holds U+0000")
    ids = text.encode("utf-8", "surrogatepass")
    width = next(width for width in (1, 2, 4) if len(frame.recommendation_ids) <= 256**width)
    payload = b"".join(
        (
            COUNTS.pack(len(frame), len(frame.recommendation_ids), width, len(ids), frame.scale_id.encode()[:16]),
            _packed_log(frame.log),
            frame.grade.tobytes(),
            frame.source.astype(f"<u{width}").tobytes(),
            ids,
            calls,
        )
    )
    return ENVELOPE.seal(key, payload, epoch=frame.epoch, created_s=frame.created_s, compression=compression)


def decode(key: str, stored: bytes) -> Frame:
    """The frame that was stored under `key`. Raises `Rejected` for anything else."""
    opened = ENVELOPE.open(key, stored)
    try:
        frame = _unpacked(opened.payload)
    except (struct.error, ValueError, UnicodeDecodeError):
        raise Rejected("torn") from None
    return replace(frame, epoch=opened.epoch, created_s=opened.created_s)


def _unpacked(payload: memoryview | bytes) -> Frame:
    items, calls, width, ids_bytes, scale_id = COUNTS.unpack_from(payload)
    if items > ITEMS_MAX or width not in (1, 2, 4):
        raise ValueError
    at = COUNTS.size
    log = _unpacked_log(np.frombuffer(payload, np.uint8, LOG_BYTES * items, at))
    at += LOG_BYTES * items
    grade = np.frombuffer(payload, np.uint8, items, at)
    at += items
    if some(np.isneginf(log) & (grade <= Grade.ROUNDED)):
        raise ValueError
    source = np.frombuffer(payload, f"<u{width}", items, at).astype(np.int32)
    at += width * items
    ids = Ids.of_text(str(payload[at : at + ids_bytes], "utf-8", "surrogatepass"), items)
    names = bytes(payload[at + ids_bytes :]).decode("utf-8", "surrogatepass").split(SEPARATOR) if calls else []
    if len(names) != calls or (items and int(source.max()) >= calls):
        raise ValueError
    return Frame(
        ids=ids,
        log=log,
        grade=grade,
        source=source,
        recommendation_ids=tuple(names),
        scale_id=scale_id.rstrip(b"\0").decode(),
        created_s=0.0,
    )


def _packed_log(log: Floats) -> bytes:
    """Steps of the grid as little-endian 40-bit numbers above `LOG_ZERO`; 0 stands for no score at all."""
    scored = ~np.isneginf(log)
    steps = np.zeros(len(log), dtype="<i8")
    steps[scored] = np.rint(log[scored] / LOG_STEP).astype(np.int64) + LOG_ZERO
    return steps.view(np.uint8).reshape(len(log), 8)[:, :LOG_BYTES].tobytes()


def _unpacked_log(packed: NDArray[np.uint8]) -> Floats:
    wide = np.zeros((len(packed) // LOG_BYTES, 8), dtype=np.uint8)
    wide[:, :LOG_BYTES] = packed.reshape(-1, LOG_BYTES)
    steps = wide.view("<i8").ravel()
    return np.where(steps == 0, -np.inf, (steps - LOG_ZERO) * LOG_STEP)
