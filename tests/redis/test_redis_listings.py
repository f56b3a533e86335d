"""Listings on a real server: kept as frames are, beside them, and never one for the other."""

from dataclasses import replace

import pytest

from gateway.adapters.envelope import HEAD, Rejected
from gateway.adapters.listing_codec import decode_listing, encode_listing
from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from gateway.core.question import Listing
from tests.redis.frames import frame_of, key_of
from tests.redis.servers import PATIENT_MS

LISTING = Listing('{"itemList":[{"itemId":"é"}],"recommendationId":"R"}'.encode(), 1, 0, 1_800_000_000.125)


async def test_what_is_saved_is_loaded(store, key, raw):
    """A listing comes back whole, with its times, counted as frames are, and expires by itself."""
    kept = await store.load_listing(key)
    assert (kept.epoch, kept.listing) == (0, None)
    await store.save_listing(key, LISTING, 60.0)
    assert (await store.load_listing(key)).listing == LISTING
    assert (store.stats.hits, store.stats.misses, store.stats.saves) == (1, 1, 1)
    assert store.stats.bytes_read == store.stats.bytes_written > 0
    assert 50_000 < raw.pttl(key.frame) <= 60_000


@pytest.mark.parametrize("compression", [0, 6])
async def test_compression_is_the_writers_matter(shared_url, store, key, compression):
    """A reader understands a listing however it was written."""
    long = replace(LISTING, body=LISTING.body + b" " * 10_000)
    options = RedisOptions(shared_url, timeout_ms=PATIENT_MS, compression=compression)
    async with RedisStore(options) as writer:
        await writer.save_listing(key, long, 60.0)
        assert (writer.stats.bytes_written < 1_000) == (compression > 0)
    assert (await store.load_listing(key)).listing == long


async def test_a_bump_kills_it(store, key):
    """After an event the old listing is a miss that tells the new epoch; one of the new epoch is a hit."""
    await store.save_listing(key, LISTING, 60.0)
    assert await store.bump(key.user, 77, 60.0)
    kept = await store.load_listing(key)
    assert (kept.epoch, kept.listing) == (77, None)
    await store.save_listing(key, replace(LISTING, epoch=77), 60.0)
    assert (await store.load_listing(key)).listing == replace(LISTING, epoch=77)


async def test_a_frame_is_no_listing(store, key):
    """What was stored as the one is never read as the other."""
    await store.save(key, frame_of(3), 60.0)
    assert (await store.load_listing(key)).listing is None
    await store.save_listing(key, LISTING, 60.0)
    assert (await store.load(key)).frame is None
    assert store.stats.rejects == {"foreign": 2}


async def test_foreign_and_moved_values_are_misses(store, key, raw):
    """Somebody else's bytes, and a listing under another's key, are never answered."""
    raw.set(key.frame, b"hello")
    assert (await store.load_listing(key)).listing is None
    other = key_of("other listing")
    await store.save_listing(other, LISTING, 60.0)
    raw.set(key.frame, raw.get(other.frame))
    assert (await store.load_listing(key)).listing is None
    assert store.stats.rejects == {"foreign": 1, "key": 1}


def test_every_truncation_and_every_flipped_bit_is_rejected():
    """No beginning of a stored listing is one, nor is one in which a bit has changed."""
    stored = encode_listing("k", LISTING)
    assert decode_listing("k", stored) == LISTING
    broken = [stored[:length] for length in range(len(stored))]
    for bit in range(8 * len(stored)):
        flipped = bytearray(stored)
        flipped[bit // 8] ^= 1 << bit % 8
        broken.append(bytes(flipped))
    for value in broken:
        with pytest.raises(Rejected):
            decode_listing("k", value)
    assert len(stored) == HEAD.size + 4 + len(LISTING.body)
