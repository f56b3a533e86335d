"""What can be set, and the one reader of the environment. Frozen settings; all faults are reported together.

Where a value comes from is the business of `settings_sources`. The AWS SDK's own variables stay the SDK's business, but
for the region, which it does not take from `AWS_REGION`.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.core.redis_url import SCHEMES, parse
from gateway.core.routing import Campaign
from gateway.settings_auth import NAME, AuthSettings, listener_relations, tenant_relations
from gateway.settings_campaigns import CampaignSettings, campaign_relations
from gateway.settings_files import cache_file_relations
from gateway.settings_parts import Section as _Section
from gateway.settings_parts import table as _table
from gateway.settings_sources import PREFIX, gathered

PLAIN_WORDS: Final[dict[str, str]] = {
    "extra_forbidden": "there is no such setting",
    "missing": "must be set",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
}
"""Faults that the validator words for programmers."""


class ConfigError(Exception):
    """A configuration that cannot be used. `faults` are lines for people: where, and what is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class ServerSettings(_Section):
    """`[server]`: where the gateway listens, and how it defends itself."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    max_inflight: Annotated[int, Field(ge=1)] = 256
    deadline_ms: Annotated[int, Field(ge=1, le=30_000)] = 1000
    drain_s: Annotated[float, Field(ge=0, le=3600)] = 20
    lame_duck_s: Annotated[float, Field(ge=0, le=600)] = 1
    body_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10
    compress: Literal["auto", "always", "never"] = "auto"
    head_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10
    write_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30
    connections_max: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    unix_socket: Path | None = None
    admin_host: str = "127.0.0.1"
    admin_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: Path | None = None


MEMORY: Final = "memory://"


def _cache_url(url: str) -> str:
    if url == MEMORY:
        return url
    if url.partition("://")[0].lower() not in SCHEMES:
        raise ValueError(f"must be {MEMORY} or a Redis URL, whose scheme is one of {', '.join(SCHEMES)}")
    parse(url)
    return url


class CacheSettings(_Section):
    """`[cache]`: where frames are kept, and for how long. Passwords never show in a repr."""

    url: Annotated[str, AfterValidator(_cache_url), Field(repr=False)] = MEMORY
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    sentinel_username: str | None = None
    sentinel_password: SecretStr | None = None
    tls_ca_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    connections_max: Annotated[int, Field(ge=1, le=1_000)] = 16
    compression: Annotated[int, Field(ge=0, le=9)] = 0
    fresh_s: Annotated[float, Field(ge=0, le=86_400)] = 60
    stale_s: Annotated[float, Field(ge=0, le=86_400)] = 300
    settle_s: Annotated[float, Field(ge=0, le=60)] = 2
    metadata_s: Annotated[float, Field(ge=0, le=86_400)] = 300
    pin_s: Annotated[float, Field(gt=0, le=86_400)] = 300
    timeout_ms: Annotated[int, Field(ge=1, le=10_000)] = 20
    memory_mib: Annotated[int, Field(ge=1)] = 256

    @property
    def shown_url(self) -> str:
        """The URL without credentials, for people to read."""
        scheme, separator, rest = self.url.partition("://")
        authority, slash, path = rest.partition("/")
        return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


Transport = Literal["lean", "aiobotocore"]
"""How calls are made: by the lean transport, or by aiobotocore's own, its reference."""


class LogSettings(_Section):
    """`[log]`: what is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", enable_decoding=False
    )

    server: ServerSettings = ServerSettings()
    auth: AuthSettings = AuthSettings()
    cache: CacheSettings = CacheSettings()
    log: LogSettings = LogSettings()
    campaigns: dict[str, CampaignSettings] = {}
    aws_region: str | None = None
    transport: Transport = "lean"

    @classmethod
    def settings_customise_sources(  # type: ignore[override] # all are passed by name
        cls, *_: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **__: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: it has merged file and environment, and knows where each value came from."""
        return (init_settings,)

    def campaign_policies(self) -> dict[str, Campaign]:
        """The configured campaigns by name, as the core knows them."""
        return {name: one.policies(name) for name, one in self.campaigns.items()}


def export(variables: Mapping[str, str], instead_of: tuple[str, ...] = ()) -> None:
    """Set variables for this process and its children, in place of all whose names begin so: how the demo stands in
    for a pod's manifest."""
    for name in [one for one in os.environ if one.upper().startswith(instead_of)]:  # noqa: TID251 - their one home
        del os.environ[name]  # noqa: TID251
    os.environ.update(variables)  # noqa: TID251


def standard(prefix: str) -> dict[str, str]:
    """The variables of a standard that has its own names, as OpenTelemetry has `OTEL_`."""
    return {name: value for name, value in os.environ.items() if name.startswith(prefix)}  # noqa: TID251 - their home


def for_child(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of one child process: this one's, and these variables."""
    return {**os.environ, **variables}  # noqa: TID251 - their one home


def load(
    path: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings out of the TOML file (`path`, else `GATEWAY_CONFIG`), the environment, and options of a command.

    Raises `ConfigError` with all faults at once: each names the setting and where its value came from.
    """
    faults: list[str] = []
    given = os.environ if environment is None else environment  # noqa: TID251 - their one home
    sources = gathered(Settings, path, given, options or {}, faults)
    merged = sources.merged()
    merged.setdefault("aws_region", given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION"))
    settings = None
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        for one in error.errors():
            what = PLAIN_WORDS.get(one["type"], one["msg"].removeprefix("Value error, "))
            faults.append(f"{'.'.join(map(str, one['loc']))}: {what} (in {sources.origin(one['loc'])})")
    faults += _relations(merged)
    if faults or settings is None:
        raise ConfigError(faults)
    return settings


def _relations(merged: Mapping[str, Any]) -> Iterator[str]:
    """Faults between settings; checked on the raw values, so that they are told together with all others."""
    yield from listener_relations(merged)
    yield from tenant_relations(merged)
    yield from cache_file_relations(merged)
    campaigns = _table(merged, "campaigns")
    for name in campaigns:
        if not NAME.fullmatch(name):
            yield f"campaigns.{name!r}: a name has 1 to 63 letters, digits, dots, dashes or underscores"
        yield from campaign_relations(f"campaigns.{name}", campaigns[name], merged.get("aws_region"))
