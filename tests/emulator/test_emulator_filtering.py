"""The seam to the filter language: what reaches a filter, and what its verdicts do to each operation.

The language here has two expressions, so that the seam is tested and not the language.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gateway.emulator.actions import answer_actions, decode_actions
from gateway.emulator.campaigns import World, open_world
from gateway.emulator.config import ConfigError, EmulatorConfig
from gateway.emulator.errors import ServiceError
from gateway.emulator.events import accept_events
from gateway.emulator.events_wire import decode_events
from gateway.emulator.filtering import FILTER_PREFIX, Filters
from gateway.emulator.ranking import answer_ranking
from gateway.emulator.recommendations_wire import decode_recommendations
from gateway.emulator.recommending import answer_recommendations
from gateway.emulator.settling import Settling
from gateway.emulator.wire import decode_ranking

PREFIX = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"


class FilterError(Exception):
    """A broken expression."""


class FilterValueError(Exception):
    """A missing value."""


@dataclass
class Small:
    """`unseen KIND` keeps what the user has no event of, `column NAME KIND` what has the value of $NAME in it."""

    words: list[str]

    @property
    def kind(self) -> str:
        return self.words[-1]

    def keep(
        self,
        items: Sequence[str],
        *,
        item_properties: Callable[[str], Mapping[str, str]],
        interactions: Callable[[], Sequence[Mapping[str, str]]],
        user: Mapping[str, str],
        values: Mapping[str, str],
        current_item: Mapping[str, str] | None = None,
    ) -> list[bool]:
        if self.words[0] == "unseen":
            seen = {event["ITEM_ID"] for event in interactions()}
            return [item not in seen for item in items]
        if self.words[1] not in values:
            raise FilterValueError(f"A value for filter parameter {self.words[1]} is required")
        return [item_properties(item).get(self.words[1]) == values[self.words[1]].strip('"') for item in items]


def parse(expression: str) -> Small:
    """Read an expression of the small language."""
    if expression.split(maxsplit=1)[0] not in ("unseen", "column"):
        raise FilterError("line 1, column 1: expected unseen or column")
    return Small(expression.split())


def language() -> SimpleNamespace:
    """The small language."""
    return SimpleNamespace(parse=parse, FilterError=FilterError, FilterValueError=FilterValueError)


@pytest.fixture
def world() -> World:
    """The built-in store with filters of the small language."""
    filters = {
        "unseen": "unseen ItemID",
        "category": "column CATEGORY ItemID",
        "actions": "column CATEGORY ActionID",
    }
    return replace(open_world(EmulatorConfig()), filters=Filters(filters, language))


def ranked(world: World, **members: Any) -> list[Any]:
    """The items of a ranking of p00001 to p00099."""
    call = {"campaignArn": PREFIX, "userId": "u", "inputList": [f"p{n:05}" for n in range(1, 100)]}
    return answer_ranking(world, decode_ranking(orjson.dumps(call | members))).personalized_ranking


def recommended(world: World, **members: Any) -> list[Any]:
    """The items of a recommendation."""
    call = {"campaignArn": f"{PREFIX}-recommendations", "userId": "u"}
    return answer_recommendations(world, decode_recommendations(orjson.dumps(call | members))).item_list


def bought(world: World, item_id: str) -> None:
    """An event of the user and the item, that has settled."""
    event = {"eventType": "purchase", "sentAt": 1, "itemId": item_id}
    call = decode_events(orjson.dumps({"trackingId": "demo", "userId": "u", "sessionId": "s", "eventList": [event]}))
    Settling(world, 0.0, world.history).arrive(accept_events(world, call), now=0.0)


def test_what_a_filter_drops_does_not_come_back(world: World) -> None:
    """Filtered items are left out of a ranking, the others keep their order and their scores."""
    bought(world, "p00005")
    everything = ranked(world)
    filtered = ranked(world, filterArn=f"{FILTER_PREFIX}unseen")
    assert [(item.item_id, item.score) for item in filtered] == [
        (item.item_id, item.score) for item in everything if item.item_id != "p00005"
    ]


def test_events_of_unknown_items_reach_filters(world: World) -> None:
    """An item that the model does not know can have been bought, too."""
    bought(world, "strange")
    found = ranked(world, inputList=["p00001", "strange"], filterArn=f"{FILTER_PREFIX}unseen")
    assert [item.item_id for item in found] == ["p00001"]


def test_values_and_item_columns_reach_filters(world: World) -> None:
    """`filterValues` and the cells of the items decide what is kept, and metadata agree."""
    category = {"filterArn": f"{FILTER_PREFIX}category", "filterValues": {"CATEGORY": '"Bedding"'}}
    found = ranked(world, metadataColumns={"ITEMS": ["CATEGORY"]}, inputList=[f"p{n:05}" for n in range(1, 51)])
    kept = ranked(world, inputList=[f"p{n:05}" for n in range(1, 51)], **category)
    expected = [item.item_id for item in found if item.metadata == {"category": "Bedding"}]
    assert [item.item_id for item in kept] == expected != []


def test_recommendations_fill_up_with_popular_items(world: World) -> None:
    """Where a filter leaves too few scored items, popular ones that pass it follow, without a score but a reason."""
    catalogue = world.campaigns[PREFIX].catalogue
    liked = {catalogue.cells(item.item_id)["CATEGORY"] for item in recommended(world, numResults=100)}
    other = next(name for name in catalogue.columns["CATEGORY"] if name not in liked)
    found = recommended(world, numResults=200, filterArn=f"{FILTER_PREFIX}category", filterValues={"CATEGORY": other})
    assert len({item.item_id for item in found}) == len(found) == 200
    unscored = [item.score is None for item in found]
    assert 0 < sum(unscored) < 200
    assert unscored == sorted(unscored)
    assert {tuple(item.reason) for item in found if item.score is None} == {("Popular item",)}
    assert {catalogue.cells(item.item_id)["CATEGORY"] for item in found} == {other}


def test_a_promotion_has_its_own_filter(world: World) -> None:
    """Promoted items pass the filter of the promotion, and that one alone; the others pass that of the call."""
    promotion = {
        "name": "beds",
        "percentPromotedItems": 40,
        "filterArn": f"{FILTER_PREFIX}category",
        "filterValues": {"CATEGORY": "Bedding"},
    }
    top = recommended(world, numResults=1)[0].item_id
    bought(world, top)
    found = recommended(world, numResults=10, promotions=[promotion], filterArn=f"{FILTER_PREFIX}unseen")
    catalogue = world.campaigns[PREFIX].catalogue
    promoted = [catalogue.cells(item.item_id)["CATEGORY"] for item in found if item.promotion_name == "beds"]
    assert promoted == ["Bedding"] * 4
    assert top not in [item.item_id for item in found if item.promotion_name is None]


def test_actions_are_filtered_by_their_columns(world: World) -> None:
    """A filter of actions sees the columns of actions."""
    call = {"campaignArn": f"{PREFIX}-actions", "userId": "u", "filterValues": {"CATEGORY": "finance"}}
    call["filterArn"] = f"{FILTER_PREFIX}actions"
    found = answer_actions(world, decode_actions(orjson.dumps(call))).action_list
    assert {action.action_id for action in found} == {"apply-store-card", "buy-gift-card"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("category", "InvalidInputException"),  # a value is missing
        ("actions", "InvalidInputException"),  # for actions
        ("other", "ResourceNotFoundException"),
    ],
)
def test_refusals(world: World, name: str, code: str) -> None:
    """A filter that is not there is not found; one that is of another kind or lacks a value is an invalid input."""
    with pytest.raises(ServiceError) as refused:
        ranked(world, filterArn=FILTER_PREFIX + name)
    assert refused.value.code == code
    with pytest.raises(ServiceError) as refused:
        recommended(world, filterArn=FILTER_PREFIX + name)
    assert refused.value.code == code


def test_a_campaign_may_be_kept_to_some_filters(world: World) -> None:
    """A filter that the campaign does not list is not found for it."""
    only = replace(world.campaigns[PREFIX], filters=frozenset({"category"}))
    kept_to = replace(world, campaigns={PREFIX: only})
    with pytest.raises(ServiceError) as refused:
        ranked(kept_to, filterArn=f"{FILTER_PREFIX}unseen")
    assert refused.value.code == "ResourceNotFoundException"


def test_a_broken_expression_is_refused_at_the_start() -> None:
    """The error names the filter and the place in its expression."""
    with pytest.raises(ConfigError, match=r"filters\.bad: line 1, column 1"):
        Filters({"good": "unseen ItemID", "bad": "nonsense"}, language).check()
