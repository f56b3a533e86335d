"""Settings that are files themselves: which they are, what they need beside them, and which of them cannot be read."""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from gateway.core.redis_url import SCHEMES
from gateway.settings_parts import table

FILES: Final = frozenset({
    "password_file", "tls_ca_file", "tls_cert_file", "tls_key_file", "tls_client_ca_file",
    "keys_file", "key_pairs_file",
})  # fmt: skip
"""Settings that are files themselves: their variables are not read for a value."""


def cache_file_relations(merged: Mapping[str, Any]) -> Iterator[str]:
    """Faults between the files for the cache's TLS and its URL; where there is no server, they are for none."""
    cache = table(merged, "cache")
    scheme = str(cache.get("url", "")).partition("://")[0].lower()
    _, tls = SCHEMES.get(scheme, ("", True))
    if cache.get("tls_key_file") and not cache.get("tls_cert_file"):
        yield "cache.tls_cert_file: must be set, since cache.tls_key_file is"
    for name in ("tls_ca_file", "tls_cert_file"):
        if cache.get(name) and not tls:
            yield f"cache.{name}: is for a URL over TLS (rediss://, ...), and cache.url is {scheme}://"


def unreadable_files(settings: BaseModel) -> list[str]:
    """Faults of the files that the settings name, all of them, each with its place.

    They are no faults of the configuration itself, which is also looked at where its files are not.
    """
    return list(_unreadable((), settings))


def _unreadable(place: tuple[str, ...], value: object) -> Iterator[str]:
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _unreadable((*place, name), inner)
    elif isinstance(value, Path) and place[-1] in FILES and (fault := _unreadable_because(value)) is not None:
        yield f"{'.'.join(place)}: {value} cannot be read ({fault})"


def _unreadable_because(path: Path) -> str | None:
    """Why a file cannot be read, None if it can. It is not opened: a pipe gives what it holds only once."""
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        return error.strerror
    if is_folder:
        return os.strerror(errno.EISDIR)
    return None if os.access(path, os.R_OK) else os.strerror(errno.EACCES)
