"""Keeps a learnt model on disk, so that the second start with the same file is quick.

The file is named by a hash of the interactions' bytes and VERSION. It is written beside and then renamed, so that a
reader sees all of it or nothing; it holds plain arrays, no pickles. A file that is broken, foreign or out of step is
learnt anew and overwritten; a directory that cannot be written costs the next start time, and nothing else.
"""

import hashlib
import logging
import tempfile
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.emulator.config import ConfigError
from gateway.emulator.csv_files import read_interactions
from gateway.emulator.learning import Learnt, learn

VERSION: Final = 1  # one more whenever learning.py gives other vectors for the same events

_IDS: Final = msgspec.json.Decoder(list[str])

log = logging.getLogger(__name__)


def learnt_from(interactions: Path, cache_dir: Path) -> Learnt:
    """The model of an Interactions file, from `cache_dir` if it was learnt before.

    Raises:
        ConfigError: the file cannot be read or learnt from.
    """
    path = cache_dir / f"model-{_key(interactions)}.npz"
    saved = _load(path)
    if saved is not None:
        return saved
    learnt = learn(read_interactions(interactions))
    _save(path, learnt)
    return learnt


def _key(interactions: Path) -> str:
    digest = hashlib.blake2b(digest_size=16, salt=VERSION.to_bytes(16, "big"))
    try:
        with interactions.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ConfigError(f"{interactions}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _load(path: Path) -> Learnt | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            learnt = Learnt(
                item_ids=_IDS.decode(arrays["item_ids"].tobytes()),
                user_ids=_IDS.decode(arrays["user_ids"].tobytes()),
                popularity=arrays["popularity"],
                log_popularity=arrays["log_popularity"],
                item_vectors=arrays["item_vectors"],
                user_vectors=arrays["user_vectors"],
            )
    except FileNotFoundError:
        return None
    except Exception as error:  # zip, zlib, numpy and JSON each have their own for a broken file
        log.warning("%s is not a saved model, learning anew: %s", path, error)
        return None
    if not _fits(learnt):
        log.warning("%s is not a saved model, learning anew: its arrays do not fit each other", path)
        return None
    return learnt


def _fits(learnt: Learnt) -> bool:
    items, users, factors = len(learnt.item_ids), len(learnt.user_ids), learnt.item_vectors.shape[-1:]
    shapes: tuple[tuple[NDArray[np.float64], tuple[int, ...]], ...] = (
        (learnt.popularity, (items,)),
        (learnt.log_popularity, (items,)),
        (learnt.item_vectors, (items, *factors)),
        (learnt.user_vectors, (users, *factors)),
    )
    return all(
        array.dtype == np.float64 and array.shape == shape and np.isfinite(array).all() for array, shape in shapes
    )


def _save(path: Path, learnt: Learnt) -> None:
    arrays = learnt._asdict()
    for name in ("item_ids", "user_ids"):
        arrays[name] = np.frombuffer(msgspec.json.encode(arrays[name]), dtype=np.uint8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="saving-") as beside:
            unfinished = Path(beside) / path.name
            np.savez(unfinished, **arrays)
            unfinished.replace(path)
    except OSError as error:
        log.warning("the learnt model could not be saved, the next start learns again: %s", error)
