"""Tenants with keys and key pairs, and requests in their name."""

import hashlib
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.settings_auth import AuthSettings

KEYS = {"shop": "rgk-shop-canary-5d1c", "app": "rgk-app-canary-77aa"}
PAIRS = {"shop": ("GWAKSHOP1", "secret-of-shop-canary-01"), "app": ("GWAKAPP1", "secret-of-app-canary-02")}


def sha256(key: str) -> str:
    """What stands in the settings for a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def tenant(name: str, **more: Any) -> dict[str, Any]:
    """The settings of a tenant with a key and a key pair."""
    key_id, secret = PAIRS[name]
    pair = {"access_key_id": key_id, "secret_access_key": secret}
    return {"keys_sha256": [sha256(KEYS[name])], "key_pairs": [pair]} | more


def auth(mode: str = "keys-or-sigv4", **tenants: dict[str, Any]) -> AuthSettings:
    """Authentication for tenants; two, if none is named."""
    return AuthSettings(mode=mode, tenants=tenants or {name: tenant(name) for name in KEYS})  # type: ignore[arg-type]


def bearer(name: str) -> dict[str, str]:
    """The header with the tenant's key."""
    return {"Authorization": f"Bearer {KEYS[name]}"}


def signed(name: str, url: str, body: bytes = b"", method: str = "POST", **how: Any) -> dict[str, str]:
    """The headers of a request as botocore signs it with the tenant's pair."""
    key_id, secret = PAIRS[name]
    headers = {"Content-Type": "application/json"} | how.get("headers", {})
    request = AWSRequest(method, url, data=body, headers=headers)
    credentials = Credentials(how.get("key_id", key_id), how.get("secret", secret), how.get("token"))
    SigV4Auth(credentials, how.get("service", "personalize"), how.get("region", "eu-west-1")).add_auth(request)
    return dict(request.headers.items())
