"""`EventSink` over aiobotocore: PutEvents, once."""

from typing import Final

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.aws_errors import translate
from gateway.ports import Events

SERVICE: Final = "personalize-events"


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
        except Exception as error:
            ours = translate(error, events.user_id)
            if ours is None:
                raise
            raise ours from error
