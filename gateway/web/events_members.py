"""The members of PutEvents, as the AWS SDKs send them and as `POST /v1/events` takes them.

Both have the same. The native API refuses what it does not know, in the events too; the wire ignores it, as the service
does.
"""

from typing import Annotated, Any, ClassVar, Final, TypeAlias

import msgspec
from msgspec import Meta

from gateway.web.members import ItemId, ShortText
from gateway.web.rules import Rule, each_holds_an_object

JSON_OBJECT: Final[dict[str, Any]] = {"contentMediaType": "application/json", "contentSchema": {"type": "object"}}
Properties: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1024, extra_json_schema=JSON_OBJECT)]


EARLIEST_S: Final = -62_135_510_400
LATEST_S: Final = 253_402_214_400
"""The years 1 to 9999, but for a day at either end, which time zones may take. What is beyond no SDK can send: mostly a
time in milliseconds."""


class MetricAttribution(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """Where an event came from."""

    event_attribution_source: Annotated[str, Meta(min_length=1, max_length=1024)]


class _Event(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What an event may hold; the limits are those of the service model."""

    event_type: ShortText
    sent_at: Annotated[float, Meta(ge=EARLIEST_S, le=LATEST_S)]
    event_id: ShortText | None = None
    event_value: float | None = None
    item_id: ItemId | None = None
    properties: Properties | None = None
    recommendation_id: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    impression: Annotated[list[ItemId], Meta(min_length=1, max_length=25)] | None = None


class Event(_Event, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """One event as the AWS SDKs send it."""

    metric_attribution: MetricAttribution | None = None


class NativeMetricAttribution(
    MetricAttribution, frozen=True, rename="camel", kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The same members."""


class NativeEvent(_Event, frozen=True, rename="camel", kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One event of `POST /v1/events`: the same members."""

    metric_attribution: NativeMetricAttribution | None = None


class _Events(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What all events have beside themselves."""

    RULES: ClassVar[tuple[Rule, ...]] = (each_holds_an_object("eventList", "properties"),)

    tracking_id: ShortText
    session_id: ShortText
    user_id: ShortText | None = None


class PutEventsRequest(_Events, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """`POST /events`, as the AWS SDKs send it."""

    event_list: Annotated[list[Event], Meta(min_length=1, max_length=10)]


class NativeEventsRequest(
    _Events, frozen=True, rename="camel", kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """`POST /v1/events`: the same members."""

    event_list: Annotated[list[NativeEvent], Meta(min_length=1, max_length=10)]
