"""Frames as bytes: everything comes back, and nothing else is ever taken for a frame."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.codec import Rejected, decode, encode
from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.model import Grade
from tests.redis.frames import frame_of, frames

KEY = "rerank:1:{00}:11"

many = settings(derandomize=True, deadline=None, max_examples=150, database=None)


@many
@given(frames(), st.sampled_from([0, 1]))
def test_everything_comes_back_bit_for_bit(frame, compression):
    """Ids of any text, log scores, grades, sources, scale, epoch and creation time survive, in their order."""
    back = decode(KEY, encode(KEY, frame, compression=compression))
    assert back.items == frame.items
    assert back.recommendation_ids == frame.recommendation_ids
    for column in ("log", "grade", "source"):
        was, now = getattr(frame, column), getattr(back, column)
        assert now.dtype == was.dtype
        assert np.array_equal(now, was)
    assert (back.scale_id, back.epoch) == (frame.scale_id, frame.epoch)
    assert back.created_s == pytest.approx(frame.created_s, abs=5e-4)


@many
@given(frames(), st.sampled_from([0, 6]))
def test_saving_what_was_loaded_changes_no_byte(frame, compression):
    """A loaded frame is stored as the very same bytes, so reading and writing in turns is no drift."""
    once = encode(KEY, frame, compression=compression)
    assert encode(KEY, decode(KEY, once), compression=compression) == once


@many
@given(frames(), st.sampled_from([0, 6]), st.data())
def test_a_flipped_bit_is_rejected(frame, compression, data):
    """One bit changed anywhere is `Rejected`, and raises nothing else."""
    stored = bytearray(encode(KEY, frame, compression=compression))
    at = data.draw(st.integers(0, 8 * len(stored) - 1))
    stored[at // 8] ^= 1 << at % 8
    with pytest.raises(Rejected):
        decode(KEY, bytes(stored))


def test_every_truncation_is_rejected():
    """No beginning of a frame is a frame."""
    stored = encode(KEY, frame_of(20))
    for length in range(len(stored)):
        with pytest.raises(Rejected):
            decode(KEY, stored[:length])


@many
@given(st.binary(max_size=300))
def test_foreign_bytes_are_rejected(stored):
    """What was never a frame is not one, also behind the right magic."""
    for value in (stored, b"RGFR" + stored, b"RGFR\x01\x00" + stored):
        with pytest.raises(Rejected):
            decode(KEY, value)


@many
@given(frames(), st.text(max_size=20))
def test_a_frame_under_another_key_is_rejected(frame, other):
    """A value that was stored for somebody else is never taken."""
    with pytest.raises(Rejected, match="key"):
        decode(KEY + other + "x", encode(KEY, frame))


@pytest.mark.parametrize("grade", range(Grade.ROUNDED + 1))
def test_a_place_without_a_log_score_is_rejected(grade):
    """A row that is said to have its place by its log score, and has none, was not written by a gateway."""
    frame = replace(frame_of(3), log=np.array([-1.0, -np.inf, -2.0]), grade=np.array([0, grade, 0], dtype=np.uint8))
    with pytest.raises(Rejected, match="torn"):
        decode(KEY, encode(KEY, frame))


def test_bytes_are_golden():
    """The format is what it was, so that an upgrade does not silently empty the cache."""
    frame = Frame(
        ids=Ids(["a", "\u00e9\ud800"]),
        log=np.array([-0.5, -np.inf]),
        grade=np.array([Grade.SHARP, Grade.UNKNOWN], dtype=np.uint8),
        source=np.array([1, 0], dtype=np.int32),
        recommendation_ids=("RID-0", "RID-1"),
        scale_id="0123456789abcdef",
        created_s=1_800_000_000.125,
        epoch=77,
    )
    assert encode(KEY, frame).hex() == "".join(GOLDEN.split())


@pytest.mark.parametrize(("count", "most"), [(1_000, 22_000), (10_000, 212_000), (100_000, 2_120_000)])
def test_size_of_a_frame(count, most):
    """An item with an id of thirteen characters takes 21 bytes: 14 of them the id, 5 the score."""
    assert len(encode(KEY, frame_of(count))) < most


GOLDEN = """
    5247465201000000
    238e7c5d
    b62ee90cdfe897617ed589ba8223959a
    4d00000000000000
    7d505c18a3010000
    02000000020000000100000007000000
    30313233343536373839616263646566
    000000c07f0000000000
    0005
    0100
    6100c3a9eda0805249442d30005249442d31
"""
"""Magic, schema and flags; checksum; digest of the key; epoch; creation time; counts; scale; log scores; grades; calls;
ids."""
