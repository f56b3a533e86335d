"""What an emulator serves: a table of campaigns over its models, its event trackers, its filters, its catalogue.

`open_world` opens what the configuration names; without any campaign in it, those of DEMO.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.emulator.catalogue import Catalogue, Listing
from gateway.emulator.config import DEFAULT_MODEL, CampaignConfig, EmulatorConfig
from gateway.emulator.csv_files import read_history
from gateway.emulator.data import Data, open_data
from gateway.emulator.errors import ServiceError
from gateway.emulator.filtering import BUILT_IN, Filters
from gateway.emulator.history import History
from gateway.emulator.model import Model
from gateway.emulator.recipes import RECIPES, Operation, Recipe

CAMPAIGN_PREFIX: Final = "arn:aws:personalize:us-east-1:000000000000:campaign/"

DEMO: Final[tuple[CampaignConfig, ...]] = (
    CampaignConfig(arn=f"{CAMPAIGN_PREFIX}demo", recipe="aws-personalized-ranking-v2"),
    CampaignConfig(arn=f"{CAMPAIGN_PREFIX}demo-recommendations", recipe="aws-user-personalization-v2"),
    CampaignConfig(arn=f"{CAMPAIGN_PREFIX}demo-related", recipe="aws-similar-items"),
    CampaignConfig(arn=f"{CAMPAIGN_PREFIX}demo-actions", recipe="aws-next-best-action"),
)


@dataclass(frozen=True)
class Campaign:
    """A campaign or recommender: a model behind a recipe, under an ARN. `filters` are those it may use, None: all."""

    arn: str
    recipe: Recipe
    model: Model
    catalogue: Catalogue
    filters: frozenset[str] | None = None
    decimals: int = 7
    metadata_enabled: bool = True
    list_dependent: float = 0.0

    @property
    def tag(self) -> str:
        """The 6 characters that mark the campaign in every recommendation id it gives."""
        return hashlib.blake2b(self.arn.encode(), digest_size=3).hexdigest()


@dataclass(frozen=True)
class World:
    """All that is served. `campaigns` is by ARN; events of every tracking id move the users of every model.

    `model` is the default one, whose items and users are listed.
    """

    campaigns: Mapping[str, Campaign]
    tracking_ids: frozenset[str]
    model: Model
    listing: Listing
    filters: Filters = field(default_factory=lambda: Filters({}))
    history: History = field(default_factory=History)

    @property
    def models(self) -> list[Model]:
        """Every model that is served, once."""
        models = [self.model, *(campaign.model for campaign in self.campaigns.values())]
        return list({id(model): model for model in models}.values())

    def campaign(self, arn: str) -> Campaign:
        """The campaign or recommender of an ARN.

        Raises:
            ServiceError: ResourceNotFoundException if there is none.
        """
        campaign = self.campaigns.get(arn)
        if campaign is None:
            raise ServiceError("ResourceNotFoundException", f"Campaign with ARN {arn} not found")
        return campaign

    def asked(self, operation: Operation, arn: str, *, recommender: bool = False, **members: str) -> Campaign:
        """The campaign of an ARN, if it answers this operation with these members (empty: absent).

        Raises:
            ServiceError: ResourceNotFoundException if there is none of this kind, InvalidInputException if its recipe
                is for another operation or needs a member that is absent.
        """
        campaign = self.campaign(arn)
        if campaign.recipe.recommender != recommender:
            kind = "Recommender" if recommender else "Campaign"
            raise ServiceError("ResourceNotFoundException", f"{kind} with ARN {arn} not found")
        if campaign.recipe.operation != operation:
            raise ServiceError(
                "InvalidInputException",
                f"The recipe of {arn} does not support {operation}, use {campaign.recipe.operation}",
            )
        for name in campaign.recipe.needs:
            if not members.get(name):
                raise ServiceError("InvalidInputException", f"{name} is required by the recipe of {arn}")
        return campaign

    def check_tracker(self, tracking_id: str) -> None:
        """Check that there is an event tracker of this id.

        Raises:
            ServiceError: ResourceNotFoundException if there is none.
        """
        if tracking_id not in self.tracking_ids:
            raise ServiceError("ResourceNotFoundException", f"Event tracker with tracking ID {tracking_id} not found")

    def knows(self, item_id: str) -> bool:
        """Whether any model knows the item."""
        return any(item_id in model.row_of for model in self.models)

    def move(self, user_id: str, item_ids: Sequence[str]) -> None:
        """Move a user of every model towards these items, one after the other."""
        for model in self.models:
            model.move(user_id, item_ids)


def open_world(config: EmulatorConfig) -> World:
    """Load or learn what the configuration names; blocks for as long as learning takes.

    Raises:
        ConfigError: the files cannot be used, Items came without the Interactions to learn from, or a filter is wrong.
    """
    data = open_data(config)
    campaigns = [_campaign(one, data[one.model]) for one in config.campaigns or DEMO]
    main = data[DEFAULT_MODEL]
    return World(
        campaigns={campaign.arn: campaign for campaign in campaigns},
        tracking_ids=frozenset(config.trackers),
        model=main.model,
        listing=Listing(main.model, main.catalogue),
        filters=_filters(config),
        history=_history(config),
    )


def _campaign(config: CampaignConfig, data: Data) -> Campaign:
    return Campaign(
        arn=config.arn,
        recipe=RECIPES[config.recipe],
        model=data.model,
        catalogue=data.catalogue,
        filters=None if config.filters is None else frozenset(config.filters),
        decimals=config.decimals,
        metadata_enabled=config.metadata,
        list_dependent=config.list_dependent,
    )


def _filters(config: EmulatorConfig) -> Filters:
    """Those of the file; without any, the built-in ones if there is the store that they are for."""
    if config.filters is None:
        return Filters({} if config.interactions else BUILT_IN)
    filters = Filters(config.filters)
    filters.check()
    return filters


def _history(config: EmulatorConfig) -> History:
    history = History()
    if config.filters and config.interactions:  # nobody else looks at it
        for user_id, event in read_history(config.interactions):
            history.add(user_id, [event])
    return history
