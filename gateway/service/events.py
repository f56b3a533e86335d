"""Events: forward them to where the model learns, and let no frame of the user answer any more. Honest about either
half.

The user's epoch is bumped after the forwarding, since frames are wary for a while from then on (`settle_s`); and it is
bumped even if the forwarding failed, since nobody knows whether upstream took the events in. Only events that were
refused change nothing.
"""

import asyncio
from dataclasses import dataclass

from gateway.core.errors import DeadlineExceeded, UpstreamError
from gateway.ports import Events, EventSink
from gateway.service.rerank import Reranker


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of events: `failure` says why they were not forwarded; `invalidated` whether frames were told."""

    failure: UpstreamError | None
    invalidated: bool


@dataclass(frozen=True, slots=True)
class EventDoor:
    """Takes events in."""

    sink: EventSink
    reranker: Reranker

    async def record(self, tenant: str, events: Events, deadline_s: float) -> Recorded:
        """Forward by the deadline (of the loop's clock), and bump. Raises `CallerError` for refused events."""
        failure: UpstreamError | None = None
        try:
            async with asyncio.timeout_at(deadline_s):
                await self.sink.put(events)
        except UpstreamError as error:
            failure = error
        except TimeoutError:
            failure = DeadlineExceeded("the events were not taken in before the deadline")
        except asyncio.CancelledError:  # the caller has gone, but the events may have arrived
            self.reranker.frames.background.start(self._forget(tenant, events.user_id))
            raise
        return Recorded(failure, await self.reranker.forget_user(tenant, events.user_id))

    async def _forget(self, tenant: str, user_id: str) -> None:
        await self.reranker.forget_user(tenant, user_id)
