"""PutEvents through the SDK: signed, once, with the members as they came."""

import orjson
import pytest

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.personalize_events import PersonalizeEvents
from gateway.core import errors
from gateway.ports import Events
from tests.adapters.fake_upstream import Upstream, answer
from tests.adapters.test_upstream_answers import error
from tests.support.canaries import USER

MEMBERS = {
    "trackingId": "tracker",
    "userId": USER,
    "sessionId": "s-1",
    "eventList": [
        {"eventType": "click", "sentAt": 1_800_000_000, "itemId": "a", "properties": '{"price": 3}'},
        {"eventType": "view", "sentAt": 1_800_000_001, "impression": ["a", "b"]},
    ],
}
EVENTS = Events("tracker", USER, MEMBERS)


@pytest.fixture
def events_upstream(upstream: Upstream, credentials: None, aws: pytest.MonkeyPatch) -> Upstream:
    """The endpoint, as that of events."""
    aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_EVENTS", upstream.url)
    upstream.script = answer(b"")
    return upstream


async def test_events_arrive_as_they_came(events_upstream: Upstream) -> None:
    """One signed POST /events whose members are the caller's, `properties` as the text that it was."""
    async with AwsClients(connections_max=1) as clients:
        await PersonalizeEvents(clients, "eu-west-1").put(EVENTS)
    (sent,) = events_upstream.sent
    body = orjson.loads(sent.body)
    assert body == MEMBERS
    assert "/eu-west-1/personalize/aws4_request" in sent.headers["authorization"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("InvalidInputException", errors.InvalidInput), ("ThrottlingException", errors.Throttled)],
)
async def test_errors_are_translated(events_upstream: Upstream, code: str, kind: type[Exception]) -> None:
    """Errors come as the gateway's own, without the user id, after one attempt."""
    events_upstream.script = error(code, message="about canary-user-1")
    async with AwsClients(connections_max=1) as clients:
        with pytest.raises(kind) as raised:
            await PersonalizeEvents(clients, "eu-west-1").put(EVENTS)
    assert "canary" not in str(raised.value)
    assert len(events_upstream.sent) == 1


@pytest.mark.parametrize("region", ["", "no_region"])
async def test_a_missing_region_is_the_settings_fault(events_upstream: Upstream, region: str) -> None:
    """Events that have no region to go to, or one that cannot be, are told the setting; a default region (the control)
    is where they go."""
    async with AwsClients(connections_max=1) as clients:
        with pytest.raises(errors.Unavailable, match="AWS_REGION must be set") as raised:
            await PersonalizeEvents(clients, region).put(EVENTS)
    assert "ARN" not in str(raised.value)
    assert events_upstream.sent == []
    async with AwsClients(connections_max=1, default_region="sa-east-1") as clients:
        await PersonalizeEvents(clients, "").put(EVENTS)
    assert "/sa-east-1/personalize/" in events_upstream.sent[0].headers["authorization"]
