"""The id of a pinned ranking: random, so that it cannot be guessed, with a check, so that it can be told from others.

The check is made of the random part and the tenant. An id that passes it was made here for this tenant, so a ranking
that is not found is gone; one that does not was never an id of this tenant: whether it is another tenant's, nobody is
told. The check is no proof (anybody could compute it); what protects a ranking is that its 96 random bits are unknown,
and that it is kept under a key that the tenant is part of. No user, item or time stands in an id.
"""

import base64
import hashlib
import re
from typing import Final

RANDOM_BYTES: Final = 12
CHECK_BYTES: Final = 6
"""One made-up id in 3e14 passes for a real one that is gone."""

PREFIX: Final = "rk_"
_FORM: Final = re.compile(r"rk_[A-Za-z0-9_-]{24}")


def ranking_id(random: bytes, tenant: str) -> str:
    """The id made of `RANDOM_BYTES` random bytes for a tenant."""
    return PREFIX + base64.urlsafe_b64encode(random + _check(random, tenant)).decode()


def is_of(candidate: str, tenant: str) -> bool:
    """Whether the text is an id that was made for the tenant."""
    if not _FORM.fullmatch(candidate):
        return False
    data = base64.urlsafe_b64decode(candidate.removeprefix(PREFIX))
    return data[RANDOM_BYTES:] == _check(data[:RANDOM_BYTES], tenant)


def _check(random: bytes, tenant: str) -> bytes:
    return hashlib.blake2b(random + tenant.encode(), digest_size=CHECK_BYTES, person=b"ranking-id").digest()
