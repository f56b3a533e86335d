"""A listing <-> bytes: its number of entries and its JSON, in the envelope of all stored values.

The JSON was checked before it was stored, and the envelope's checksum says that it is still the same; a value that
breaks either is a miss.
"""

import struct
from typing import Final

from gateway.adapters.envelope import Envelope, Rejected
from gateway.core.question import Listing

ENVELOPE: Final = Envelope(b"RGLI", schema=1)
ENTRIES: Final = struct.Struct("<I")


def encode_listing(key: str, listing: Listing, *, compression: int = 0) -> bytes:
    """The bytes of a listing that is stored under `key`; `compression` is a zlib level, 0 for none."""
    payload = ENTRIES.pack(listing.entries) + listing.body
    return ENVELOPE.seal(key, payload, epoch=listing.epoch, created_s=listing.created_s, compression=compression)


def decode_listing(key: str, stored: bytes) -> Listing:
    """The listing that was stored under `key`. Raises `Rejected` for anything else."""
    opened = ENVELOPE.open(key, stored)
    if len(opened.payload) < ENTRIES.size:
        raise Rejected("torn")
    (entries,) = ENTRIES.unpack_from(opened.payload)
    return Listing(bytes(opened.payload[ENTRIES.size :]), entries, opened.epoch, opened.created_s)
