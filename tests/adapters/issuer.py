"""What an endpoint of credentials says, in the words of Pod Identity's agent or of STS: a script of `fake_upstream`."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from tests.adapters.fake_upstream import Script, Sent, answer

SECRET = "secret-canary-91c2"


@dataclass
class Issuer:
    """Gives keys numbered from 1, each valid for `validity_s`, or says `instead`; takes `takes_s` for either."""

    validity_s: float = 3_600.0
    takes_s: float = 0.0
    instead: Script | None = None
    given: int = 0
    asked: int = 0
    under_way: int = 0
    most_under_way: int = 0

    async def as_agent(self, request: Sent, writer: asyncio.StreamWriter) -> None:
        """Answer in JSON."""
        await self._answer(request, writer, _json, "application/json")

    async def as_sts(self, request: Sent, writer: asyncio.StreamWriter) -> None:
        """Answer AssumeRoleWithWebIdentity in XML."""
        await self._answer(request, writer, xml, "text/xml")

    async def _answer(self, request, writer, form, content_type: str) -> None:
        self.asked += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.under_way -= 1
        if self.instead is None:
            self.given += 1
            expiration = datetime.fromtimestamp(time.time() + self.validity_s, UTC).isoformat()
            await answer(form(f"AKID{self.given}", expiration), Content_Type=content_type)(request, writer)
        else:
            await self.instead(request, writer)


def _json(key_id: str, expiration: str) -> bytes:
    return orjson.dumps({"AccessKeyId": key_id, "SecretAccessKey": SECRET, "Token": "t", "Expiration": expiration})


def xml(key_id: str, expiration: str) -> bytes:
    """The answer of STS."""
    return (
        '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key_id}</AccessKeyId>"
        f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>t</SessionToken>"
        f"<Expiration>{expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
        "</AssumeRoleWithWebIdentityResponse>"
    ).encode()
