"""What an emulator serves: a table of campaigns over one model, its event trackers, and the catalogue behind it.

`open_world` decides by the configuration where the model comes from: CSVs, or the built-in store.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.emulator import saved_model
from gateway.emulator.catalogue import Catalogue, Listing
from gateway.emulator.config import ConfigError, EmulatorConfig
from gateway.emulator.csv_files import read_items
from gateway.emulator.errors import ServiceError
from gateway.emulator.learning import Learnt
from gateway.emulator.model import Model
from gateway.emulator.store import Store
from gateway.emulator.tastes import Floats

CAMPAIGN_PREFIX: Final = "arn:aws:personalize:us-east-1:000000000000:campaign/"
TRACKING_ID: Final = "demo"


@dataclass(frozen=True)
class Campaign:
    """A ranking campaign: a model under an ARN, with or without metadata in its answers."""

    arn: str
    model: Model
    metadata_enabled: bool = False

    @property
    def tag(self) -> str:
        """The 6 characters that mark the campaign in every recommendation id it gives."""
        return hashlib.blake2b(self.arn.encode(), digest_size=3).hexdigest()


@dataclass(frozen=True)
class World:
    """All that is served. `campaigns` is by ARN; events of every tracking id move the users of the one model."""

    campaigns: Mapping[str, Campaign]
    tracking_ids: frozenset[str]
    model: Model
    listing: Listing

    def campaign(self, arn: str) -> Campaign:
        """The campaign of an ARN.

        Raises:
            ServiceError: ResourceNotFoundException if there is none.
        """
        campaign = self.campaigns.get(arn)
        if campaign is None:
            raise ServiceError("ResourceNotFoundException", f"Campaign with ARN {arn} not found")
        return campaign

    def check_tracker(self, tracking_id: str) -> None:
        """Check that there is an event tracker of this id.

        Raises:
            ServiceError: ResourceNotFoundException if there is none.
        """
        if tracking_id not in self.tracking_ids:
            raise ServiceError("ResourceNotFoundException", f"Event tracker with tracking ID {tracking_id} not found")


def open_world(config: EmulatorConfig) -> World:
    """Load or learn what the configuration names; blocks for as long as learning takes.

    Raises:
        ConfigError: the files cannot be used, or Items came without the Interactions to learn from.
    """
    model, catalogue = _from_files(config) if config.items or config.interactions else _from_store()
    demo = Campaign(arn=f"{CAMPAIGN_PREFIX}demo", model=model)
    return World(
        campaigns={demo.arn: demo},
        tracking_ids=frozenset({TRACKING_ID}),
        model=model,
        listing=Listing(model, catalogue),
    )


def _from_store() -> tuple[Model, Catalogue]:
    store = Store()
    return store.model, store.catalogue


def _from_files(config: EmulatorConfig) -> tuple[Model, Catalogue]:
    if config.interactions is None:
        raise ConfigError(
            f"{config.items}: a model cannot be learnt from items alone, all of them would be unknown to it; "
            "give an Interactions CSV too (USER_ID, ITEM_ID, TIMESTAMP)"
        )
    catalogue = Catalogue() if config.items is None else read_items(config.items)
    return _model(saved_model.learnt_from(config.interactions, config.cache_dir)), catalogue


def _model(learnt: Learnt) -> Model:
    tastes = dict(zip(learnt.user_ids, learnt.user_vectors, strict=True))
    stranger: Floats = np.zeros(learnt.item_vectors.shape[1])
    return Model(
        item_ids=learnt.item_ids,
        popularity=learnt.popularity,
        log_popularity=learnt.log_popularity,
        item_vectors=learnt.item_vectors,
        user_ids=learnt.user_ids,
        taste_of=lambda user_id: tastes.get(user_id, stranger),
    )
