"""Signatures: the very bytes that botocore's signer gives, whatever is signed."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.sigv4 import Signer

WORDS = st.text("abcXYZ019-_./+=", min_size=1, max_size=24)
KEYS = st.builds(ReadOnlyCredentials, WORDS, WORDS, st.none() | WORDS)
SECONDS = st.integers(0, 4_000_000_000)
HOSTS = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){1,3}(:8[0-9]{3})?", fullmatch=True)
TYPES = st.sampled_from(["application/json", "application/x-amz-json-1.1", "a  b   c", " padded "])


def by_botocore(keys: Any, second: int, body: bytes, host: str, kind: str, region: str) -> dict[str, str]:
    """The headers that botocore's signer adds at that second."""
    request = AWSRequest("POST", f"https://{host}/personalize-ranking", data=body, headers={"Content-Type": kind})
    with patch("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(second, UTC)):
        SigV4Auth(keys, "personalize", region).add_auth(request)
    return {name: value for name, value in request.headers.items() if name != "Content-Type"}


def lines_of(headers: dict[str, str]) -> bytes:
    """The headers as they go out."""
    order = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
    return "".join(f"{name}: {headers[name]}\r\n" for name in order if name in headers).encode()


@given(KEYS, SECONDS, st.binary(min_size=1, max_size=200), HOSTS, TYPES, WORDS)
def test_the_same_bytes_as_botocore(keys: Any, second: int, body: bytes, host: str, kind: str, region: str) -> None:
    """Date, token and signature of a request are byte for byte those of botocore's SigV4Auth."""
    signer = Signer("/personalize-ranking", {"content-type": kind, "host": host}, region, "personalize")
    assert signer.sign(keys, second, body) == lines_of(by_botocore(keys, second, body, host, kind, region))


@given(st.lists(st.tuples(KEYS, SECONDS), min_size=2, max_size=5))
def test_what_is_kept_never_signs_for_another(moments: list[tuple[Any, int]]) -> None:
    """One signer, over changing keys, seconds and days, gives what a new one gives each time."""
    headers = {"content-type": "application/json", "host": "h.example"}
    signer = Signer("/personalize-ranking", headers, "eu-west-1", "personalize")
    for keys, second in moments * 2:
        expected = by_botocore(keys, second, b"{}", "h.example", "application/json", "eu-west-1")
        assert signer.sign(keys, second, b"{}") == lines_of(expected)


@pytest.mark.parametrize("day", range(2))
def test_the_same_keys_over_midnight(day: int) -> None:
    """The day's key is made anew on the next day, and for another secret on the same day."""
    signer = Signer("/p", {"host": "h"}, "r", "s")
    first, second = ReadOnlyCredentials("A", "one", None), ReadOnlyCredentials("A", "two", None)
    seen = {signer.sign(keys, 86_399 + day + shift, b"{}") for keys in (first, second) for shift in (0, 86_400)}
    assert len(seen) == 4


def test_nothing_secret_in_its_repr() -> None:
    """A signer shows its scope and no key."""
    signer = Signer("/p", {"host": "h"}, "eu-west-1", "personalize")
    signer.sign(ReadOnlyCredentials("AKID", "secret-canary", "token-canary"), 1, b"{}")
    assert repr(signer) == "<Signer personalize eu-west-1>"
