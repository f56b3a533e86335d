"""Where promoted items stand among the others: at random places, in their own order, as the service documents.

The places are drawn by a hash of what was asked, so that the same call gets the same answer.
"""

import hashlib

import numpy as np

from gateway.emulator.wire import PredictedItem


def mixed(others: list[PredictedItem], promoted: list[PredictedItem], *, seed_text: str) -> list[PredictedItem]:
    """Both lists in one; each keeps its order."""
    if not promoted:
        return others
    seed = hashlib.blake2b(seed_text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    total = len(others) + len(promoted)
    places = set(rng.permutation(total)[: len(promoted)].tolist())
    of_promoted, of_others = iter(promoted), iter(others)
    return [next(of_promoted if place in places else of_others) for place in range(total)]
