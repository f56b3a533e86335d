"""`EventSink` over aiobotocore: PutEvents, once."""

from typing import Final

from botocore.exceptions import InvalidRegionError, NoRegionError

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.aws_errors import translate
from gateway.core.errors import Unavailable
from gateway.ports import Events

SERVICE: Final = "personalize-events"

REGION_ERRORS: Final[dict[type[Exception], str]] = {
    NoRegionError: "there is no region that events could go to: AWS_REGION must be set",
    InvalidRegionError: "the region that events go to cannot be one: AWS_REGION must be set to another",
}
"""Told apart from what `aws_errors` says of them: a ranking's caller may name another ARN, but here the gateway's own
settings are at fault, and the events are good."""


class PersonalizeEvents:
    """Forwards events. A tracking id names no region, so all go to one."""

    def __init__(self, clients: AwsClients, region: str) -> None:
        self._clients = clients
        self._region = region

    async def put(self, events: Events) -> None:
        """Forward the events. Errors are those of `ports.EventSink`."""
        try:
            # `properties` stay the text that they are
            await self._clients.call(SERVICE, self._region, "put_events", events.members)
        except tuple(REGION_ERRORS) as error:
            raise Unavailable(REGION_ERRORS[type(error)]) from error
        except Exception as error:
            ours = translate(error, events.user_id)
            if ours is None:
                raise
            raise ours from error
