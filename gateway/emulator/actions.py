"""GetActionRecommendations, whole: its wire, its rules, its actions and the answer.

Scores are probabilities by themselves: what other actions score makes no difference. The actions are built in, as
there is no Actions dataset:

    logit(user, action) = log odds of the action's usual rate + z,    probability = 1 / (1 + exp(-logit))
    z                   = sqrt(factors) * cos(taste(user), vector(action)): about standard normal over all users

The vector of an action is drawn by a hash of its id; a stranger has no taste and gets the usual rates.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from gateway.emulator.campaigns import Campaign, World
from gateway.emulator.filtering import Facts
from gateway.emulator.rules import ID_CHARACTERS_MAX, ID_LENGTH, Rule, broken_rules, refuse_broken
from gateway.emulator.tastes import ROUNDING, Floats
from gateway.emulator.validation import CAMPAIGN_RULES, FILTER_RULES
from gateway.emulator.wire import Call, members_of, recommendation_id

RESULTS_DEFAULT: Final = 5
RESULTS_MAX: Final = 100

# Action: the share of users that takes it when asked, and its columns for filters.
ACTIONS: Final[Mapping[str, tuple[float, Mapping[str, str]]]] = {
    "join-loyalty-programme": (0.12, {"CATEGORY": "loyalty", "VALUE": "20"}),
    "upgrade-loyalty-tier": (0.05, {"CATEGORY": "loyalty", "VALUE": "35"}),
    "subscribe-newsletter": (0.18, {"CATEGORY": "contact", "VALUE": "4"}),
    "allow-notifications": (0.22, {"CATEGORY": "contact", "VALUE": "3"}),
    "download-app": (0.15, {"CATEGORY": "app", "VALUE": "10"}),
    "save-payment-method": (0.09, {"CATEGORY": "account", "VALUE": "8"}),
    "complete-profile": (0.14, {"CATEGORY": "account", "VALUE": "5"}),
    "write-review": (0.07, {"CATEGORY": "content", "VALUE": "2"}),
    "share-wishlist": (0.04, {"CATEGORY": "content", "VALUE": "6"}),
    "invite-friend": (0.03, {"CATEGORY": "content", "VALUE": "25"}),
    "apply-store-card": (0.02, {"CATEGORY": "finance", "VALUE": "60"}),
    "buy-gift-card": (0.06, {"CATEGORY": "finance", "VALUE": "30"}),
}


class ActionsCall(Call, frozen=True, kw_only=True):
    """A GetActionRecommendations request; `num_results` is None if it was absent."""

    num_results: int | None


class PredictedAction(msgspec.Struct, rename="camel"):
    """One action of an answer."""

    action_id: str
    score: float | None


class ActionsAnswer(msgspec.Struct, rename="camel"):
    """The answer of GetActionRecommendations, likeliest action first."""

    action_list: list[PredictedAction]
    recommendation_id: str

    @property
    def listed(self) -> list[PredictedAction]:
        """What came back, under the same name in the answer of every operation."""
        return self.action_list


class _ActionsMembers(msgspec.Struct, rename="camel"):
    campaign_arn: str | None = None
    user_id: str | None = None
    num_results: int | None = None
    filter_arn: str | None = None
    filter_values: dict[str, str] | None = None


_MEMBERS: Final = msgspec.json.Decoder(_ActionsMembers)

RULES: Final[tuple[Rule[ActionsCall], ...]] = (
    *CAMPAIGN_RULES,
    Rule("userId", lambda call: len(call.user_id) <= ID_CHARACTERS_MAX, ID_LENGTH),
    Rule("numResults", lambda call: (call.num_results or 0) >= 0, "Member must be greater than or equal to 0"),
    Rule(
        "numResults",
        lambda call: (call.num_results or 0) <= RESULTS_MAX,
        f"Member must be less than or equal to {RESULTS_MAX}",
    ),
    *FILTER_RULES,
)


def decode_actions(body: bytes) -> ActionsCall:
    """Read a GetActionRecommendations body.

    Raises:
        ServiceError: as `members_of`.
    """
    members = members_of(body, _MEMBERS)
    return ActionsCall(
        campaign_arn=members.campaign_arn or "",
        user_id=members.user_id or "",
        num_results=members.num_results,
        filter_arn=members.filter_arn,
        filter_values=members.filter_values or {},
    )


def validate_actions(call: ActionsCall) -> None:
    """Check a call against the rules.

    Raises:
        ServiceError: InvalidInputException that names every broken rule.
    """
    refuse_broken(broken_rules(call, RULES))


def answer_actions(world: World, call: ActionsCall) -> ActionsAnswer:
    """The answer to one call.

    Raises:
        ServiceError: InvalidInputException or ResourceNotFoundException.
    """
    validate_actions(call)
    campaign = world.asked("GetActionRecommendations", call.arn, userId=call.user_id)
    # Action interactions come by PutActionInteractions, which is not served: there are none.
    facts = Facts("ActionID", properties=lambda action_id: ACTIONS[action_id][1], interactions=tuple)
    keep = world.filters.keep(call.filter_arn, call.filter_values, facts, campaign.filters)
    taste = campaign.model.taste(call.user_id)
    scores = {action_id: _probability(taste, action_id) for action_id in ACTIONS}
    ranked = sorted(scores, key=lambda action_id: -scores[action_id])
    kept = [action_id for action_id, stays in zip(ranked, keep(ranked), strict=True) if stays]
    count = RESULTS_DEFAULT if call.num_results is None else call.num_results
    return ActionsAnswer(_predicted(campaign, kept[:count], scores), recommendation_id(campaign.tag))


def _predicted(campaign: Campaign, action_ids: list[str], scores: Mapping[str, float]) -> list[PredictedAction]:
    return [PredictedAction(action_id, round(scores[action_id], campaign.decimals)) for action_id in action_ids]


def _probability(taste: Floats, action_id: str) -> float:
    seed = hashlib.blake2b(action_id.encode(), digest_size=16).digest()
    vector = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big"))).standard_normal(len(taste))
    lengths = float(np.linalg.norm(taste) * np.linalg.norm(vector))
    z = math.sqrt(len(taste)) * float(taste @ vector) / lengths if lengths > ROUNDING else 0.0
    usual = ACTIONS[action_id][0]
    return 1 / (1 + (1 - usual) / usual * math.exp(-z))
