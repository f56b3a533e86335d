"""What botocore reads of its own files, without what is never asked for.

Its table of endpoints names 400 services in all regions: 1.2 MB of JSON, 50 ms of the start, and 7 MB of objects that
a session keeps as long as it lives. The gateway, and the credential chain on its way, call six of them: the others are
passed over while reading. How those six are found stays as it is, for every region and partition
(tests/adapters/test_aws_data.py).
"""

from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from aiobotocore.session import AioSession
from botocore.loaders import JSONFileLoader, create_loader

CALLED: Final = ("personalize-runtime", "personalize-events", "sts", "sso", "sso-oidc", "signin")
"""The services that are called, as the SDK names them: campaigns and events; and for credentials, where they are asked
for by a web identity, an assumed role, single sign-on or a console login."""

KEPT: Final = frozenset((*CALLED, "personalize", "oidc", "portal.sso"))
"""The same, and as the table names them."""

Unread: TypeAlias = dict[str, msgspec.Raw]


class OwnServices(JSONFileLoader):  # type: ignore[misc] # the library is untyped
    """Reads the files of botocore; of the endpoints those of our services."""

    def load_file(self, file_path: str) -> Any:
        """What the file holds, whose name comes without its ending; None if there is none."""
        file = Path(f"{file_path}.json")
        if file.name != "endpoints.json" or not file.is_file():
            return super().load_file(file_path)
        table = msgspec.json.decode(file.read_bytes(), type=Unread)
        partitions = msgspec.json.decode(table.pop("partitions", b"[]"), type=list[Unread])
        return _read(table) | {"partitions": [_partition(one) for one in partitions]}


def _partition(unread: Unread) -> dict[str, Any]:
    services = msgspec.json.decode(unread.pop("services", b"{}"), type=Unread)
    return _read(unread) | {"services": _read({name: services[name] for name in services if name in KEPT})}


def _read(unread: Unread) -> dict[str, Any]:
    return {name: msgspec.json.decode(value) for name, value in unread.items()}


def new_session() -> AioSession:
    """A session of the SDK that reads no more than it needs. Its files are looked for when they are asked for."""
    session = AioSession()

    def data_loader() -> Any:
        loader = create_loader(session.get_config_variable("data_path"))
        loader.file_loader = OwnServices()
        return loader

    session.lazy_register_component("data_loader", data_loader)
    return session
