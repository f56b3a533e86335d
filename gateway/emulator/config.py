"""What can be set about the emulator: frozen values, read from one TOML file.

Every setting has a default that works: without a file the built-in store is served at full speed and unsigned.
A setting that is misspelt or of the wrong kind is refused with its place. Secrets never show in a `repr`.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec

# Ten minutes outlast every client.
LatencyMs = Annotated[float, msgspec.Meta(ge=0.0, le=600_000.0)]

# A sigma of 3 already spreads the middle 95 % of the latencies over five orders of magnitude: more is a typing error.
Sigma = Annotated[float, msgspec.Meta(ge=0.0, le=3.0)]

# The service takes a second or two; a minute bounds the events that are on their way.
SettleS = Annotated[float, msgspec.Meta(ge=0.0, le=60.0)]


class ConfigError(Exception):
    """The emulator cannot start with this configuration or these files; the message says which, where and why."""


class KeyPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An AWS key pair whose signatures are accepted."""

    access_key_id: Annotated[str, msgspec.Meta(min_length=1)]
    secret_access_key: Annotated[str, msgspec.Meta(min_length=1)]

    def __repr__(self) -> str:
        return f"KeyPair(access_key_id={self.access_key_id!r}, secret_access_key=***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("access_key_id", self.access_key_id)]


class EmulatorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one emulator; paths are relative to the working directory.

    `latency_ms` is the median time a ranking call takes, `latency_sigma` the standard deviation of its logarithm
    (0: every call takes exactly the median), `seed` the seed of these draws. `settle_s` is the time from the arrival
    of an event to its effect on rankings. With `key_pairs`, calls must be signed by one of them. With `interactions`
    (and perhaps `items`), the model is learnt from these CSVs and kept in `cache_dir`; without, the built-in store is
    served.
    """

    latency_ms: LatencyMs = 0.0
    latency_sigma: Sigma = 0.0
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    settle_s: SettleS = 0.0
    key_pairs: tuple[KeyPair, ...] = ()
    items: Path | None = None
    interactions: Path | None = None
    cache_dir: Path = Path(".emulator-cache")


def load(path: Path) -> EmulatorConfig:
    """Read the settings from a TOML file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or a setting in it is unknown or out of its range.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=EmulatorConfig, dec_hook=_decode_path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _decode_path(kind: type[Any], value: object) -> Path:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError("Expected a path")
