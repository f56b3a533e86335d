"""What a failed command is called: any exception -> one word for a counter, by a table.

redis-py names some server errors by class, leaves the rest as a `ResponseError` whose text begins with the server's
own code, and wraps what the socket said. Whatever else comes out of the library (it has raised `RuntimeError`,
`AttributeError` and `KeyError` while a cluster changed under it) is "unexpected": a miss like any other.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final

from redis import exceptions as errors

BY_CLASS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (errors.MaxConnectionsError, "pool"),
    (errors.AuthenticationError, "auth"),
    (errors.AuthorizationError, "auth"),
    (errors.NoPermissionError, "permission"),
    (errors.BusyLoadingError, "loading"),
    (errors.OutOfMemoryError, "oom"),
    (errors.ReadOnlyError, "readonly"),
    (errors.MasterDownError, "masterdown"),
    (errors.ClusterCrossSlotError, "crossslot"),
    (errors.MovedError, "moved"),
    (errors.AskError, "moved"),
    (errors.TryAgainError, "moved"),
    (errors.ClusterError, "cluster"),
    (errors.RedisClusterException, "cluster"),
    (errors.InvalidResponse, "protocol"),
    (errors.TimeoutError, "timeout"),
    (asyncio.TimeoutError, "timeout"),
)
"""The first that fits, so subclasses stand before their bases."""

BY_CODE: Final[Mapping[str, str]] = {
    "NOAUTH": "auth",
    "WRONGPASS": "auth",
    "NOPERM": "permission",
    "LOADING": "loading",
    "OOM": "oom",
    "READONLY": "readonly",
    "MASTERDOWN": "masterdown",
    "NOREPLICAS": "noreplicas",
    "MISCONF": "misconf",
    "BUSY": "busy",
    "CLUSTERDOWN": "cluster",
    "CROSSSLOT": "crossslot",
    "WRONGTYPE": "wrongtype",
}
"""The server's own word, where redis-py has no class for it."""

SERVER_CHANGED: Final = frozenset({"readonly", "masterdown"})
"""The server at the other end of our connections is no longer the one to speak to: connect (and resolve) anew."""


def reason_of(error: BaseException) -> str:
    """One word for what happened; never anything of the error's text."""
    text = str(error)
    if "max number of clients" in text:
        return "maxclients"
    for kind, reason in BY_CLASS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, errors.ResponseError):
        return BY_CODE.get(text.partition(" ")[0], "refused_command")
    if isinstance(error, (errors.ConnectionError, OSError)):
        return _connection_reason(error)
    return "unexpected"


def _connection_reason(error: BaseException) -> str:
    """What the socket said, which redis-py keeps as the context of its own error."""
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, ssl.SSLError):
            return "tls"
        if isinstance(step, (ConnectionRefusedError, FileNotFoundError)):
            return "refused"
        step = step.__cause__ or step.__context__
    return "no_master" if type(error).__name__ == "MasterNotFoundError" else "connection"
