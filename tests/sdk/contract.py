"""What every SDK must find at every endpoint. A test class names its client, and takes the tests of an endpoint.

`told` is what the client got, `answered` and `refused` are the names of the endpoint's calls (see conftest).
"""

from itertools import pairwise
from typing import Any, ClassVar

import pytest

from tests.sdk.calls import ANSWERED, LIFTED, UNKNOWN
from tests.sdk.clients import Client
from tests.sdk.endpoints import EMULATOR, GATEWAY, SIGNED, Endpoint

COUNTS = [
    ("for a user", "itemList", 25),
    ("for a user, many", "itemList", 500),
    ("for a user, none", "itemList", 0),
    ("for a user, all", "itemList", 50),
    ("related", "itemList", 25),
    ("recommender", "itemList", 25),
    ("actions", "actionList", 5),
    ("actions, all", "actionList", 12),
]

Told = dict[str, Any]


class Contract:
    """At any endpoint."""

    client: ClassVar[Client]
    endpoint: ClassVar[Endpoint]

    def test_every_call_is_answered(self, told: Told, answered: str) -> None:
        """An answer is what the SDK's own model of the service says, without complaint, and has a request id."""
        assert "answer" in told[answered], told[answered]
        assert (told[answered]["status"], told[answered]["faults"]) == (200, "")
        assert told[answered]["requestId"]

    def test_every_refusal_is_the_documented_one(self, told: Told, refused: str) -> None:
        """A refused call becomes the SDK's own exception for it, with code, status, request id and a message."""
        _, (code, status) = self.endpoint.refused[refused]
        outcome = told[refused]
        assert (outcome.get("code"), outcome["status"]) == (code, status), outcome
        assert outcome["exception"] == self.client.exception(code)
        assert outcome["requestId"]
        assert outcome["message"] not in ("", None, "UnknownError")


class Operations(Contract):
    """At an endpoint where all four operations are open."""

    unknown: ClassVar[dict[str, Any]]

    def test_a_ranking(self, told: Told) -> None:
        """The items that are known come first, and their scores add up to one."""
        for name in ("ranking", "ranking, metadata"):
            items = told[name]["answer"]["personalizedRanking"]
            assert {item["itemId"] for item in items[:2]} == {"p00001", "p00002"}
            assert items[2:] == [self.unknown]
            assert sum(item["score"] for item in items[:2]) == pytest.approx(1.0)
            assert len(told[name]["answer"]["recommendationId"]) == 40

    def test_metadata(self, told: Told) -> None:
        """Metadata are a map of strings by lower-cased names, in rankings and in recommendations."""
        items = told["ranking, metadata"]["answer"]["personalizedRanking"][:2]
        for item in items + told["related"]["answer"]["itemList"] + told["for a user, all"]["answer"]["itemList"]:
            assert item["metadata"].keys() == {"title", "price"}

    @pytest.mark.parametrize(("name", "listed", "count"), COUNTS)
    def test_lists_are_as_long_as_asked_for(self, told: Told, name: str, listed: str, count: int) -> None:
        """25 items and 5 actions by default, else as many as were asked for and there are."""
        assert len(told[name]["answer"][listed]) == count

    def test_scores_are_where_the_recipe_has_them(self, told: Told) -> None:
        """Items for a user have scores, related ones have none, actions have probabilities."""
        for name, scored in (("for a user", True), ("related", False), ("recommender", False)):
            assert all(("score" in item) is scored for item in told[name]["answer"]["itemList"])
        actions = told["actions"]["answer"]["actionList"]
        assert all(0 < action["score"] < 1 for action in actions)
        assert told["actions, all"]["answer"]["actionList"][:5] == actions

    def test_promotions(self, told: Told) -> None:
        """Promoted items name their promotion: half of 25, rounded down."""
        promoted = [one for one in told["for a user, promoted"]["answer"]["itemList"] if "promotionName" in one]
        assert [item["promotionName"] for item in promoted] == ["deal"] * 12

    def test_every_campaign_has_its_own_cid(self, told: Told) -> None:
        """The last part of a recommendation id is the same for one campaign, and differs between campaigns."""
        cids = {name: told[name]["answer"]["recommendationId"][-6:] for name in ANSWERED if name != "events"}
        assert cids["ranking"] == cids["ranking, metadata"]
        assert cids["for a user"] == cids["for a user, many"]
        assert len(set(cids.values())) == 5


class AtEmulator(Operations):
    """At the emulator. Nulls are absent to an SDK: an unknown item has its id and nothing else."""

    endpoint = EMULATOR
    unknown: ClassVar[dict[str, Any]] = {"itemId": "strange"}


class AtGateway(Operations):
    """At a gateway, which has no limit of 500, keeps what it learnt, and is told of events."""

    endpoint = GATEWAY
    unknown: ClassVar[dict[str, Any]] = {"itemId": "strange", "score": 0.0}

    def test_nothing_is_degraded(self, told: Told, answered: str) -> None:
        """Every answer is whole."""
        assert "gateway-degraded" not in told[answered]["headers"]

    def test_10_000_items(self, told: Told) -> None:
        """Twenty times the limit of the service comes back whole, at 21 calls, scored as one call would; unknown items
        are last, in the caller's order."""
        large = told["10,000 items"]
        items = large["answer"]["personalizedRanking"]
        assert (len(items), len({item["itemId"] for item in items})) == (10_000, 10_000)
        assert large["headers"]["gateway-upstream-calls"] == "21"
        assert all(one["score"] >= two["score"] for one, two in pairwise(items))
        assert sum(item["score"] for item in items) == pytest.approx(1.0, abs=1e-3)
        assert items[-3:] == [{"itemId": item, "score": 0.0} for item in UNKNOWN]
        assert large["answer"]["recommendationId"].startswith("RID-")

    @pytest.mark.parametrize("name", LIFTED)
    def test_limits_that_are_none(self, told: Told, name: str) -> None:
        """What the service refuses for its size is ranked."""
        items = told[name]["answer"]["personalizedRanking"]
        assert sorted(item["itemId"] for item in items) == LIFTED[name].members["inputList"]

    @pytest.mark.parametrize("name", ["for a user", "actions"])
    def test_a_listing_is_kept_until_the_next_event(self, told: Told, name: str) -> None:
        """The same question again is the same answer at no call; after the user's event it is asked anew."""
        asked = [told[each] for each in (name, f"{name}, again", f"{name}, after events")]
        assert [one["headers"]["gateway-upstream-calls"] for one in asked] == ["1", "0", "1"]
        assert asked[0]["answer"] == asked[1]["answer"]


class AtSignedGateway(Contract):
    """At a gateway that lets in whoever signs with a pair that its owner issued."""

    endpoint = SIGNED

    def test_10_000_items(self, told: Told) -> None:
        """A signature covers a large body too."""
        assert len(told["10,000 items"]["answer"]["personalizedRanking"]) == 10_000
