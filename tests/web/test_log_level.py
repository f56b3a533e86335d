"""`/v1/log-level`: read and changed at run time, by those who run the gateway only, and telling nothing of users."""

import orjson
import pytest
from structlog.testing import capture_logs

from gateway.adapters import logs
from gateway.settings import ServerSettings
from gateway.web.app import build_admin_app
from gateway.web.door import SERVICE
from gateway.web.log_level import LOG_LEVEL
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.keys import auth, bearer, tenant
from tests.web.parts import LOGITS, NATIVE, Client, native, send


async def put(client: Client, members: object, **headers: str) -> tuple[int, dict]:
    """Status and members of the answer to a change."""
    response = await client.put(LOG_LEVEL, json=members, headers=headers)
    return response.status, orjson.loads(await response.read())


async def test_it_is_told_and_changed(client: Client) -> None:
    """What is in force and what is set; a change holds, for a while if one is named, and is itself logged."""
    assert orjson.loads(await (await client.get(LOG_LEVEL)).read()) == {"level": "info", "usual": "info", "leftS": None}
    assert await put(client, {"level": "debug", "forS": 600}) == (
        200,
        {"level": "debug", "usual": "info", "leftS": 600},
    )
    assert await put(client, {"level": "error"}) == (200, {"level": "error", "usual": "info", "leftS": None})


@pytest.mark.parametrize(
    "members", [{}, {"level": "all"}, {"level": "debug", "forS": 0}, {"level": "debug", "extra": 1}, {"level": None}]
)
async def test_what_is_no_level_changes_nothing(client: Client, members: object) -> None:
    """A level that there is not, a time that is none, a member that is unknown: refused by name."""
    status, problem = await put(client, members)
    assert (status, problem["type"]) == (422, "urn:rerank-gateway:problem:bad-members")
    assert client.app[SERVICE].log_level.at(0.0) == "info"


async def test_with_an_admin_port_it_is_there_alone(connect: Connect, aiohttp_client) -> None:
    """The admin port has it, for whoever can reach that; the data port has not."""
    service = make_service(SoftmaxRanker(lambda _: LOGITS))
    admin = await aiohttp_client(build_admin_app(service, ServerSettings(admin_port=0)))
    assert (await put(admin, {"level": "debug"}))[0] == 200
    assert service.log_level.at(0.0) == "debug"
    client = await connect(server={"admin_port": 0})
    assert (await put(client, {"level": "debug"}))[0] == 404


async def test_without_one_it_is_asked_who_calls(connect: Connect) -> None:
    """On the data port it takes a key, and not that of a tenant that is one of many: 401, 403, 200."""
    client = await connect(auth=auth(shop=tenant("shop"), app=tenant("app", campaigns=["demo"])))
    assert (await put(client, {"level": "debug"}))[0] == 401
    assert (await put(client, {"level": "debug"}, **bearer("app")))[0] == 403
    assert client.app[SERVICE].log_level.at(0.0) == "info"
    assert (await put(client, {"level": "debug"}, **bearer("shop")))[0] == 200


async def test_debug_names_nobody(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the level that says most, a ranking, an event and their failures leave lines, none with the ids in them."""
    monkeypatch.setattr(logs, "LEVEL", type(logs.LEVEL)("debug"))
    canary = "canary-user-51c9"
    client = await connect()
    with capture_logs([logs.threshold]) as lines:
        assert (await send(client, NATIVE, native(userId=canary))).status == 200
        await send(client, NATIVE, native(["an-item-51c9"], userId=canary, context={"DEVICE": canary}))
        await client.delete(f"/v1/users/{canary}/frames")
    assert {"debug", "info"} <= {line["log_level"] for line in lines}
    assert "canary" not in str(lines)
    assert "an-item" not in str(lines)
