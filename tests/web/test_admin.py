"""The admin port: what stands there, and then nowhere else."""

import pytest

from gateway.settings import ServerSettings
from gateway.web.app import ADMIN_GETS, build_admin_app
from gateway.web.door import SERVICE
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.keys import auth
from tests.web.parts import LOGITS, NATIVE, Client, native, send


@pytest.fixture
async def admin(aiohttp_client) -> Client:
    """The admin port of a gateway."""
    service = make_service(SoftmaxRanker(lambda _: LOGITS))
    return await aiohttp_client(build_admin_app(service, ServerSettings(admin_port=0)))


@pytest.mark.parametrize("path", ADMIN_GETS)
async def test_with_an_admin_port_the_data_port_has_none_of_it(connect: Connect, admin: Client, path: str) -> None:
    """Health is on the admin port, open to who can reach it; on the data port there are no such paths."""
    assert (await admin.get(path)).status == 200
    for mode in (None, auth()):
        client = await connect(server={"admin_port": 0}, auth=mode)
        assert (await client.get(path)).status == 404


@pytest.mark.parametrize("path", ADMIN_GETS)
async def test_without_one_it_is_on_the_data_port(client: Client, path: str) -> None:
    """Where there is one port, it is for both."""
    assert (await client.get(path)).status == 200


async def test_the_admin_port_ranks_nothing(admin: Client) -> None:
    """No data route is there: neither a ranking nor the campaigns."""
    assert (await send(admin, NATIVE, native())).status == 404
    assert (await admin.get("/v1/campaigns")).status == 404


async def test_it_answers_like_the_other_one(admin: Client) -> None:
    """Its answers are private and anonymous too, its errors are problems, and it says when the process is to end."""
    response = await admin.get("/nowhere")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.headers["Server"], response.headers["Cache-Control"]) == ("rerank-gateway", "private, no-store")
    admin.app[SERVICE].draining = True
    assert (await admin.get("/readyz")).status == 503
