"""Credentials -> tenant: bearer keys by their hash, signatures by the owner's key pairs; both may come from files.

A key file has one SHA-256 in hex a line, a key pair file `ACCESS_KEY_ID SECRET` a line; empty lines and lines that
begin with # are skipped. Every key is compared with every stored hash, however early one fits, so that the time tells
nothing.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from gateway.core.tenants import Tenant
from gateway.settings_auth import KEYS_MAX, SECRET_MIN_CHARS, SHA256, AuthSettings, TenantSettings
from gateway.web.watched import Watched

FILE_BYTES_MAX: Final = 65_536
"""No file of two keys is larger; what is has been mistaken for one."""

Credential = TypeVar("Credential")
Owner = TypeVar("Owner")


class BadKeyFile(ValueError):
    """A file of keys that cannot be used, or keys that are not distinct; the message holds none of them."""


class Callers:
    """Who may call, and by what. Files are read anew when they change.

    Raises `OSError` or `BadKeyFile` at its making if a file cannot be used; later what was in force stays in force.
    """

    def __init__(self, auth: AuthSettings, now_s: Callable[[], float]) -> None:
        self._tenants = {name: tenant_of(name, one) for name, one in auth.tenants.items()}
        key_files = [one.keys_file for one in auth.tenants.values() if one.keys_file]
        pair_files = [one.key_pairs_file for one in auth.tenants.values() if one.key_pairs_file]
        self._keys = Watched(key_files, lambda: _keys(auth.tenants), now_s)
        self._pairs = Watched(pair_files, lambda: _pairs(auth.tenants), now_s)

    def __len__(self) -> int:
        return len(self._tenants)

    def by_key(self, key: str) -> Tenant | None:
        """The tenant of a bearer key, if there is one."""
        given = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        found = None
        for stored, name in self._keys.value.items():
            if hmac.compare_digest(given, stored):
                found = name
        return None if found is None else self._tenants[found]

    def by_key_id(self, key_id: str) -> tuple[Tenant, str] | None:
        """The tenant that an access key id was issued to, and its secret, if there is one."""
        found = self._pairs.value.get(key_id)
        return None if found is None else (self._tenants[found[0]], found[1])


def tenant_of(name: str, settings: TenantSettings) -> Tenant:
    """A tenant as the core knows it."""
    return Tenant(
        name,
        None if settings.campaigns is None else frozenset(settings.campaigns),
        None if settings.trackers is None else frozenset(settings.trackers),
        settings.rate_per_s,
        settings.inflight_max,
    )


def _keys(tenants: Mapping[str, TenantSettings]) -> dict[bytes, str]:
    """The name of the tenant by the hash of each of its keys."""
    owners: dict[bytes, str] = {}
    for name, one in tenants.items():
        hashes = [*one.keys_sha256, *_lines(one.keys_file)]
        if not all(map(SHA256.fullmatch, hashes)):
            raise BadKeyFile(f"auth.tenants.{name}.keys_file: a line is not a SHA-256 in hex")
        _add(owners, name, [(bytes.fromhex(text), name) for text in hashes])
    return owners


def _pairs(tenants: Mapping[str, TenantSettings]) -> dict[str, tuple[str, str]]:
    """The name of the tenant and the secret, by access key id."""
    secrets: dict[str, tuple[str, str]] = {}
    for name, one in tenants.items():
        pairs = [(pair.access_key_id, (name, pair.secret_access_key.get_secret_value())) for pair in one.key_pairs]
        for line in _lines(one.key_pairs_file):
            key_id, *secret = line.split()
            if len(secret) != 1 or len(secret[0]) < SECRET_MIN_CHARS:
                raise BadKeyFile(f"auth.tenants.{name}.key_pairs_file: a line is not `ACCESS_KEY_ID SECRET`")
            pairs.append((key_id, (name, secret[0])))
        _add(secrets, name, pairs)
    return secrets


def _add(known: dict[Credential, Owner], name: str, more: Sequence[tuple[Credential, Owner]]) -> None:
    """Add a tenant's credentials of one kind."""
    if len(more) > KEYS_MAX:
        raise BadKeyFile(f"auth.tenants.{name}: has more than {KEYS_MAX} live keys of a kind")
    for credential, owner in more:
        if credential in known:
            raise BadKeyFile(f"auth.tenants.{name}: has a key that was given before")
        known[credential] = owner


def _lines(file: Path | None) -> list[str]:
    """The lines of a key file that say something."""
    if file is None:
        return []
    with file.open("rb") as opened:
        text = opened.read(FILE_BYTES_MAX + 1)
    if len(text) > FILE_BYTES_MAX:
        raise BadKeyFile(f"{file}: is larger than any file of keys")
    lines = map(str.strip, text.decode().splitlines())
    return [line for line in lines if line and not line.startswith("#")]
