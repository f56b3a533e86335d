"""AWS Signature Version 4 of one kind of request: POST, no query, always the same headers.

The same bytes as botocore's `SigV4Auth` (proved over random requests), for a hundredth of the work: the signing key is
made once a day, all that names the second and the credentials once a second, and what is left for a call is one hash of
the body, and the ends of one of the canonical request and of an HMAC, whose beginnings are hashed already.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Keys(Protocol):
    """What signs: botocore's `ReadOnlyCredentials`."""

    @property
    def access_key(self) -> str:
        """Public name of the key pair."""
        ...

    @property
    def secret_key(self) -> str:
        """Its secret."""
        ...

    @property
    def token(self) -> str | None:
        """Session token of temporary credentials."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Moment:
    """Everything that stays the same for all requests of a second under the same keys."""

    second: int
    keys: Keys
    headers: bytes
    canonical: Any
    signing: hmac.HMAC


class Signer:
    """Signs requests to one path. `headers` are the other headers that are signed, names in lower case, with `host`."""

    def __init__(self, path: str, headers: Mapping[str, str], region: str, service: str) -> None:
        self._path = path
        self._headers = {name: " ".join(value.split()) for name, value in headers.items()}
        self._region = region
        self._service = service
        self._day: tuple[str, str] = ("", "")
        self._day_key = b""
        self._moment: Moment | None = None

    def __repr__(self) -> str:
        return f"<Signer {self._service} {self._region}>"

    def sign(self, keys: Keys, second: int, body: bytes) -> bytes:
        """The header lines that are added to a request with this body, at this second of the epoch."""
        moment = self._moment
        if moment is None or moment.second != second or moment.keys is not keys:
            self._moment = moment = self._of(keys, second)
        canonical = moment.canonical.copy()
        canonical.update(hashlib.sha256(body).hexdigest().encode())
        signing = moment.signing.copy()
        signing.update(canonical.hexdigest().encode())
        return b"%b%b\r\n" % (moment.headers, signing.hexdigest().encode())

    def _of(self, keys: Keys, second: int) -> Moment:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        headers = self._headers | {"x-amz-date": stamp}
        lines = f"X-Amz-Date: {stamp}\r\n"
        if keys.token:
            headers["x-amz-security-token"] = " ".join(keys.token.split())
            lines += f"X-Amz-Security-Token: {keys.token}\r\n"
        names = ";".join(sorted(headers))
        listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        credential = f"Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature="
        return Moment(
            second=second,
            keys=keys,
            headers=f"{lines}Authorization: {ALGORITHM} {credential}".encode(),
            canonical=hashlib.sha256(f"POST\n{self._path}\n\n{listed}\n{names}\n".encode()),
            signing=hmac.new(
                self._key(keys.secret_key, stamp[:8]), f"{ALGORITHM}\n{stamp}\n{scope}\n".encode(), "sha256"
            ),
        )

    def _key(self, secret: str, day: str) -> bytes:
        """The signing key: four HMACs, once a day."""
        if self._day != (secret, day):
            key = f"AWS4{secret}".encode()
            for word in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, word.encode(), "sha256")
            self._day, self._day_key = (secret, day), key
        return self._day_key
