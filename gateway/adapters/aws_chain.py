"""aiobotocore's credential chain, walked anew whenever it is asked: environment, files, IRSA, Pod Identity, SSO, IMDS.

What the chain hands out renews itself when a request is signed, and makes the request wait for it. Here it is taken as
values, once, and never asked again: a walk reads files and tokens as they are now, and asks endpoints now. So a rotated
token file, a new key in a file and a new answer of an endpoint need no code of their own.
"""

import logging
import math
from dataclasses import dataclass, field
from typing import Any, Final

from aiobotocore.credentials import create_credential_resolver
from aiobotocore.session import AioSession
from botocore.credentials import ReadOnlyCredentials

from gateway.adapters.aws_data import new_session

REREAD_S: Final = {"shared-credentials-file": 60.0, "config-file": 60.0}
"""How often sources are read that state no expiry and may change all the same. An environment cannot change, and a
program may be dear to run: those are asked again when upstream refuses what they gave."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk along the chain found: keys, when they expire (wall seconds; infinity: never), and where."""

    keys: ReadOnlyCredentials = field(repr=False)
    expires_s: float
    method: str

    @property
    def reread_s(self) -> float:
        """How often to look whether the source has others."""
        return REREAD_S.get(self.method, math.inf)


class Chain:
    """`await chain()` walks along it."""

    def __init__(self, region: str | None) -> None:
        """`region` is where STS is asked."""
        self._region = region
        self._session: AioSession | None = None
        self._loader: Any = None  # of service models, which it keeps: 130 ms for that of STS
        # It logs failures with their story, which may quote an answer that could not be parsed, and the keys in it.
        logging.getLogger("aiobotocore.credentials").setLevel(logging.CRITICAL)

    async def __call__(self) -> Found | None:
        """What there is now, or None. Raises whatever the SDK's providers raise."""
        session, self._session = self._session or self._new_session(), None
        resolver = create_credential_resolver(session, region_name=self._region)
        credentials = await resolver.load_credentials()
        if credentials is None:
            return None
        # Credentials that have just been fetched would be fetched again by `get_frozen_credentials` if short of life.
        keys = getattr(credentials, "_frozen_credentials", None) or await credentials.get_frozen_credentials()
        expiry = getattr(credentials, "_expiry_time", None)
        self._session = session  # a session reads the configuration file once: it is kept while that is good enough
        return Found(keys, math.inf if expiry is None else expiry.timestamp(), str(credentials.method))

    def _new_session(self) -> AioSession:
        session = new_session()
        self._loader = self._loader or session.get_component("data_loader")
        session.register_component("data_loader", self._loader)
        return session
