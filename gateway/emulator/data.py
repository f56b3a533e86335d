"""The data of an emulator: where each model comes from, and what is known of its items.

A model is learnt from CSVs, or that of the built-in store; with a seed, it is the same data after another training.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gateway.emulator import saved_model
from gateway.emulator.catalogue import Catalogue
from gateway.emulator.config import DEFAULT_MODEL, ConfigError, EmulatorConfig, ModelConfig
from gateway.emulator.csv_files import read_items
from gateway.emulator.learning import Learnt
from gateway.emulator.model import Model
from gateway.emulator.store import Store
from gateway.emulator.tastes import Floats


class Data(NamedTuple):
    """A model, and the columns of its items."""

    model: Model
    catalogue: Catalogue


def open_data(config: EmulatorConfig) -> dict[str, Data]:
    """All models by name, the default among them; blocks for as long as learning takes.

    Raises:
        ConfigError: the files cannot be used, or Items came without the Interactions to learn from.
    """
    main = _data(config.items, config.interactions, config.cache_dir)
    return {DEFAULT_MODEL: main} | {name: _of(model, main, config) for name, model in config.models.items()}


def _of(model: ModelConfig, main: Data, config: EmulatorConfig) -> Data:
    own = main
    if model.items or model.interactions:
        own = _data(model.items or config.items, model.interactions, config.cache_dir)
    return own._replace(model=own.model.retrained(model.seed))


def _data(items: Path | None, interactions: Path | None, cache_dir: Path) -> Data:
    if items is None and interactions is None:
        store = Store()
        return Data(store.model, store.catalogue)
    if interactions is None:
        raise ConfigError(
            f"{items}: a model cannot be learnt from items alone, all of them would be unknown to it; "
            "give an Interactions CSV too (USER_ID, ITEM_ID, TIMESTAMP)"
        )
    catalogue = Catalogue() if items is None else read_items(items)
    return Data(_model(saved_model.learnt_from(interactions, cache_dir)), catalogue)


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
