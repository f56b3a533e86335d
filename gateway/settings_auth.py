"""`[auth]`: who may call, and what has to fit together between it, `[server]` and `[campaigns]`."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from gateway.settings_parts import Section, at, listed, table

SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
KEYS_MAX: Final = 2
"""Live keys of a tenant: the old one and the new one. A third would be one that nobody remembers."""

SECRET_MIN_CHARS: Final = 16
"""A signature shows to all who see it whether a guess of the secret is right, so it must not be guessable."""

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""Of a campaign or a tenant."""


def _sha256(text: str) -> str:
    if not SHA256.fullmatch(text):
        raise ValueError("not a SHA-256 in 64 hexadecimal digits (`rerank-gateway keys new` prints one)")
    return text.lower()


Names = Annotated[tuple[str, ...], BeforeValidator(listed), Field(min_length=1)]


class KeyPairSettings(Section):
    """`[[auth.tenants.NAME.key_pairs]]`: what an AWS SDK of this tenant signs with."""

    access_key_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{4,128}$")]
    secret_access_key: Annotated[SecretStr, Field(min_length=SECRET_MIN_CHARS, max_length=256)]


class TenantSettings(Section):
    """`[auth.tenants.NAME]`: one tenant, its credentials and its rights. Two live keys of a kind, for rotation."""

    keys_sha256: Annotated[
        tuple[Annotated[str, AfterValidator(_sha256)], ...], BeforeValidator(listed), Field(max_length=KEYS_MAX)
    ] = ()
    keys_file: Path | None = None
    key_pairs: Annotated[tuple[KeyPairSettings, ...], Field(max_length=KEYS_MAX)] = ()
    key_pairs_file: Path | None = None
    campaigns: Names | None = None
    trackers: Names | None = None
    rate_per_s: Annotated[float, Field(gt=0, le=1e6)] | None = None
    inflight_max: Annotated[int, Field(ge=1)] | None = None


class AuthSettings(Section):
    """`[auth]`: who may call. On loopback nobody is asked; elsewhere `mode` must be chosen."""

    mode: Literal["none", "keys", "sigv4", "keys-or-sigv4"] | None = None
    tenants: Annotated[dict[str, TenantSettings], Field(max_length=1_000)] = {}  # noqa: RUF012 - pydantic copies it

    @property
    def takes_keys(self) -> bool:
        """Whether a bearer key names its caller."""
        return self.mode in ("keys", "keys-or-sigv4")

    @property
    def takes_signatures(self) -> bool:
        """Whether a signature of AWS names its caller."""
        return self.mode in ("sigv4", "keys-or-sigv4")


def listener_relations(merged: Mapping[str, Any]) -> Iterator[str]:
    """Faults between what is listened on, and who may call there."""
    server = table(merged, "server")
    host, local = server.get("host", "127.0.0.1"), server.get("unix_socket") is not None
    if (
        isinstance(host, str)
        and not local
        and not _is_loopback(host)
        and at(merged, "auth", "mode", default=None) is None
    ):
        yield (
            f"server.host: {host} can be reached by others, so auth.mode must be set"
            ' ("keys", "sigv4", "keys-or-sigv4", or "none": anybody may call)'
        )
    given = {name for name in ("tls_cert_file", "tls_key_file", "tls_client_ca_file") if server.get(name)}
    if given and local:
        yield "server.unix_socket: is not served over TLS; set one or the other"
    for name in ("tls_cert_file", "tls_key_file"):
        if given and name not in given:
            yield f"server.{name}: must be set, since server.{min(given)} is"
    admin = server.get("admin_port")
    if admin is not None and not local and str(admin) == str(server.get("port", 8080)) != "0":
        yield "server.admin_port: must not be server.port"


def tenant_relations(merged: Mapping[str, Any]) -> Iterator[str]:
    """Faults between the mode, the tenants and the campaigns."""
    mode = at(merged, "auth", "mode", default=None)
    tenants, campaigns = table(merged, "auth", "tenants"), table(merged, "campaigns")
    if mode in ("keys", "sigv4", "keys-or-sigv4") and not tenants:
        yield f"auth.tenants: must name at least one tenant, since auth.mode is {mode}"
    if mode in (None, "none") and tenants:
        yield "auth.tenants: are asked for nothing, since auth.mode is not keys, sigv4 or keys-or-sigv4"
    for name in tenants:
        tenant = table(tenants, name)
        if not NAME.fullmatch(name):
            yield f"auth.tenants.{name!r}: a name has 1 to 63 letters, digits, dots, dashes or underscores"
        for one in sorted(set(_strings(tenant.get("campaigns"))) - campaigns.keys()):
            yield f"auth.tenants.{name}.campaigns: {one} is not configured"
        kinds = {kind for kind in CREDENTIALS for word in CREDENTIALS[kind] if tenant.get(word)}
        if mode in CREDENTIALS and mode not in kinds:
            yield f"auth.tenants.{name}: has no {' or '.join(CREDENTIALS[mode])}, so it cannot call"
        elif mode == "keys-or-sigv4" and not kinds:
            yield f"auth.tenants.{name}: has neither keys nor key pairs, so it cannot call"


CREDENTIALS: Final[dict[str, tuple[str, ...]]] = {
    "keys": ("keys_sha256", "keys_file"),
    "sigv4": ("key_pairs", "key_pairs_file"),
}
"""The settings of a tenant that hold credentials, by the mode that asks for them."""


def _strings(value: object) -> list[str]:
    many = listed(value)
    return [one for one in many if isinstance(one, str)] if isinstance(many, list | tuple) else []


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
