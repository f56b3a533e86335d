"""Cache keys: everything that changes an answer is in them, and nothing of it can be read from them.

Parts are length-prefixed before hashing, so that no two different tuples make the same bytes (`a,b` against `a|b`). The
user's own digest stands in braces, the hash tag of a Redis Cluster: what belongs to a user lives on one node. Campaign,
context and filter are in the frame's digest; the item list, the page and metadata columns are not, since a frame serves
any list; what is kept of an ordinal campaign is not a frame in this sense, and is keyed by its list as well. A listing
serves one question alone: everything that was asked is in its digest.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from gateway.core.model import Subject
from gateway.core.question import Promotion, Question

SCHEMA: Final = 1
"""Raised when the meaning of a stored frame changes: old frames are then never found again, on purpose."""

DIGEST_BYTES: Final = 16
"""128 bits: among 10^12 keys a chance of 1e-15 for one collision."""

PLAIN_MAX: Final = 1_000
"""Campaigns whose digest is kept. Only where none is configured can callers name so many."""

_QUOTED_LIST: Final = re.compile(r'"[^"]*"(?:,"[^"]*")*')


def user_key(tenant: str, user_id: str) -> str:
    """The key of a user's epoch, and the beginning of all keys of the user; its digest is the hash tag."""
    return f"rerank:{SCHEMA}:{{{_digest((tenant, user_id))}}}"


class FrameKey(NamedTuple):
    """Where a subject's frame (or a listing) is kept, and where its user's epoch is: in one slot of a cluster."""

    user: str
    frame: str


def frame_key(subject: Subject, *more: str) -> FrameKey:
    """The keys of a subject; `more` is whatever else changes what is kept."""
    user = user_key(subject.tenant, subject.user_id)
    if more or subject.context or subject.filter_arn or subject.filter_values:
        return FrameKey(user, f"{user}:{_digest((*_subject_parts(subject), *more))}")
    return FrameKey(user, f"{user}:{_plain_digest(subject.campaign, subject.variant)}")


def question_key(question: Question) -> FrameKey:
    """The keys of a question.

    One without a user has no epoch to follow. Its digest stands in the user's place (behind U+0000, which no user id
    may hold), so that such questions lie on all nodes of a cluster and not on one.
    """
    subject = question.subject
    digest = _digest(_question_parts(question))
    user = user_key(subject.tenant, subject.user_id or f"\0{digest}")
    return FrameKey(user, f"{user}:q:{digest}")


@lru_cache(maxsize=PLAIN_MAX)
def _plain_digest(campaign: str, variant: str) -> str:
    """The digest of all subjects of a campaign without context and filter: the user is not in it."""
    return _digest(_subject_parts(Subject(campaign, "", variant=variant)))


def _subject_parts(subject: Subject) -> Iterable[str]:
    """Everything of a subject but its user."""
    yield subject.campaign
    yield subject.variant
    yield from _canonical(subject.context)
    yield from _filter_parts(subject.filter_arn, subject.filter_values)


def _filter_parts(arn: str | None, values: Mapping[str, str]) -> Iterable[str]:
    yield arn or ""
    yield from _canonical({name: _canonical_values(value) for name, value in values.items()})


def _question_parts(question: Question) -> Iterable[str]:
    yield question.operation
    yield from _subject_parts(question.subject)
    yield _number(question.results)
    yield question.item_id
    yield str(len(question.promotions))
    for promotion in question.promotions:
        yield from _promotion_parts(promotion)
    yield str(len(question.columns))
    for dataset in sorted(question.columns):
        columns = sorted(set(question.columns[dataset]))
        yield from (dataset, str(len(columns)), *columns)


def _promotion_parts(promotion: Promotion) -> Iterable[str]:
    yield promotion.name or ""
    yield _number(promotion.percent)
    yield from _filter_parts(promotion.filter_arn, promotion.filter_values)


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def list_digest(items: Sequence[str]) -> str:
    """A digest of a list, in its order: of the lengths and of the text, so that no two lists make the same bytes."""
    text = "".join(items).encode("utf-8", "surrogatepass")
    lengths = np.fromiter(map(len, items), dtype=np.int64, count=len(items))
    state = hashlib.blake2b(lengths.tobytes(), digest_size=DIGEST_BYTES)
    state.update(text)
    return state.hexdigest()


def metadata_keys(subject: Subject, columns: Iterable[str], items: Iterable[str]) -> list[str]:
    """Where the metadata of items is kept, all items of the first column, then all of the next: by all but the user,
    the context and the filter, which do not change it.

    What belongs to one campaign lives on one node, so that one command reads a page of it.
    """
    begin = f"rerank:{SCHEMA}:m:{{{_digest((subject.tenant, subject.campaign, subject.variant))}}}:"
    digests = [
        hashlib.blake2b(item.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest() for item in items
    ]
    return [f"{begin}{part}:{digest}" for part in map(_digest, zip(columns)) for digest in digests]


def pin_key(tenant: str, ranking_id: str) -> str:
    """Where a pinned ranking is kept: by its id and its tenant, so that an id is of no use to another one."""
    return f"rerank:{SCHEMA}:p:{{{_digest((tenant, ranking_id))}}}"


def _canonical(mapping: Mapping[str, str]) -> Iterable[str]:
    """The entries in the order of their names, behind their number, so that two mappings in a row stay apart."""
    yield str(len(mapping))
    for name in sorted(mapping):
        yield name
        yield mapping[name]


def _canonical_values(value: str) -> str:
    """A filter value: a comma-joined list of quoted values is a set to the filter, so its order does not count."""
    return ",".join(sorted(re.findall(r'"[^"]*"', value))) if _QUOTED_LIST.fullmatch(value) else value


def _digest(parts: Iterable[str]) -> str:
    """A digest of the parts, each behind its length in bytes."""
    hashed: list[bytes] = []
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hashed += len(data).to_bytes(8, "big"), data
    return hashlib.blake2b(b"".join(hashed), digest_size=DIGEST_BYTES).hexdigest()
