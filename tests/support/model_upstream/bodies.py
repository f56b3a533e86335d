"""Bodies that can come instead of the good one: a table of names, most of them the good answer with a thing changed."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from tests.support.model_upstream.exchange import Exchange

DEEP: Final = 100_000
"""Levels of a body that is well-formed JSON and that a recursive parser cannot read."""

FOREIGN_ITEM: Final = "item-that-nobody-asked-for"


def _altered(change: Callable[[list[Any]], Any]) -> Callable[[Exchange], bytes]:
    """The good answer with its list of entries changed."""

    def body(exchange: Exchange) -> bytes:
        members = orjson.loads(exchange.good())
        members["personalizedRanking"] = change(members["personalizedRanking"])
        return orjson.dumps(members)

    return body


def _best_scored(text: bytes) -> Callable[[Exchange], bytes]:
    """The good answer with this piece of JSON as the score of its best item."""
    mark = _altered(lambda entries: [{**entries[0], "score": "@"}, *entries[1:]])
    return lambda exchange: mark(exchange).replace(b'"@"', text, 1)


def _id_with(text: bytes) -> Callable[[Exchange], bytes]:
    """The good answer with bytes put into its id."""
    return lambda exchange: exchange.good().replace(b'"RID-', b'"RID-' + text, 1)


def _always(body: bytes) -> Callable[[Exchange], bytes]:
    return lambda _: body


BODIES: Final[dict[str, Callable[[Exchange], bytes]]] = {
    "empty": _always(b""),
    "empty-object": _always(b"{}"),
    "null-ranking": _always(b'{"personalizedRanking":null,"recommendationId":null}'),
    "list": lambda exchange: b"[" + exchange.good() + b"]",
    "garbage": _always(b"\x00\x01garbage\xff\xfe"),
    "torn-json": lambda exchange: exchange.good()[:-20],
    "bad-utf8": _id_with(b"\xff\xc3"),
    "deep": lambda exchange: b'{"deep":' + b"[" * DEEP + b"]" * DEEP + b"," + exchange.good()[1:],
    "html": _always(b"<html><body>Welcome</body></html>"),
    "wrong-types": _altered(lambda entries: [{"itemId": number, "score": "high"} for number in range(len(entries))]),
    "texts-as-items": _altered(lambda entries: [entry["itemId"] for entry in entries]),
    "object-as-ranking": _altered(lambda entries: {entry["itemId"]: entry["score"] for entry in entries}),
    "short": _altered(lambda entries: entries[: len(entries) // 2]),
    "no-items": _altered(lambda _: []),
    "duplicate": _altered(lambda entries: [entries[0], *entries[:-1]]),
    "unknown-item": _altered(lambda entries: [{**entries[0], "itemId": FOREIGN_ITEM}, *entries[1:]]),
    "one-item-more": _altered(lambda entries: [*entries, {**entries[-1], "itemId": FOREIGN_ITEM}]),
    "null-items": _altered(lambda entries: [None, *entries[1:]]),
    "null-ids": _altered(lambda entries: [{**entries[0], "itemId": None}, *entries[1:]]),
    "worst-first": _altered(lambda entries: entries[::-1]),
    "nan": _best_scored(b"NaN"),
    "infinite": _best_scored(b"Infinity"),
    "overflow": _best_scored(b"1e999"),
    "negative": _best_scored(b"-0.25"),
    "above-one": _best_scored(b"17.5"),
    "missing-scores": _altered(lambda entries: [{"itemId": entry["itemId"]} for entry in entries]),
}  # fmt: skip
