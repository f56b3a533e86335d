"""Learns user and item vectors from interactions: a factorised PMI matrix, read as the logits of a softmax.

The formulas, for users u, items i and the weight w(u,i) = log(1 + sum of the event values):

    PMI(u,i)   = log( w(u,i) w(.,.) / (w(u,.) w(.,i)) ), 0 where negative or unobserved
    PMI        ~ U S V', truncated; U sqrt(S) and V sqrt(S), each row scaled to length 1, are the vectors
    logit(u,i) = log(w(.,i) + median) + temperature * user(u) . item(i)

That a model with a softmax over items factorises the PMI is of Levy & Goldberg, "Neural Word Embedding as Implicit
Matrix Factorization" (NIPS 2014), and so is the symmetric split; since log p(i|u) = log p(i) + PMI(u,i), the sum is a
logit. The lengths of the vectors mostly say how often a user or an item was seen, which the first term says already;
the cosine keeps the tails of the logits as light as those of trained two-tower models. Truncation shrinks the second
term, so one temperature for all users puts the logits back on a realistic scale.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from gateway.emulator.csv_files import Interactions
from gateway.emulator.tastes import Floats

# At most, and at most a quarter of the users or items: more factors repeat the data, fewer have to generalise.
FACTORS: Final = 32
FACTORS_SHARE: Final = 4

# ARPACK may stop with an error, or miss equal singular values, on matrices this small; a dense SVD of them is quick.
DENSE_SIDE_MAX: Final = 200

# The standard deviation of the median user's logits over the catalogue, as in the built-in store.
LOGIT_SD: Final = 2.0

# What the taste term keeps at least, where popularity alone already has LOGIT_SD: without it all users were alike.
TASTE_SD_MIN: Final = 1.0

ROUNDING: Final = 1e-9  # lengths and variances below are zeros that were computed


class Learnt(NamedTuple):
    """A learnt model: ids and vectors (rows x factors) in step; the temperature is in the user vectors."""

    item_ids: list[str]
    user_ids: list[str]
    popularity: Floats
    log_popularity: Floats
    item_vectors: Floats
    user_vectors: Floats


def learn(events: Interactions) -> Learnt:
    """Learn from at least one event of positive value. The same events give the same vectors every time."""
    shape = (len(events.user_ids), len(events.item_ids))
    weights = sparse.csr_matrix((events.values, (events.users, events.items)), shape=shape)
    weights.sum_duplicates()
    weights.data = np.log1p(weights.data)
    of_user, of_item = np.asarray(weights.sum(axis=1)).ravel(), np.asarray(weights.sum(axis=0)).ravel()
    users, items = _factorise(_positive_pmi(weights, of_user, of_item))
    log_popularity = np.log(of_item + np.median(of_item[of_item > 0]))
    return Learnt(
        item_ids=events.item_ids,
        user_ids=events.user_ids,
        popularity=of_item / of_item.sum(),
        log_popularity=log_popularity,
        item_vectors=items,
        user_vectors=users * _temperature(users, items, log_popularity),
    )


def _positive_pmi(weights: sparse.csr_matrix, of_user: Floats, of_item: Floats) -> sparse.csr_matrix:
    cells = weights.tocoo()
    seen = cells.data > 0
    row, column, weight = cells.row[seen], cells.col[seen], cells.data[seen]
    pmi = np.log(weight * of_item.sum() / (of_user[row] * of_item[column]))
    return sparse.csr_matrix((np.maximum(pmi, 0.0), (row, column)), shape=weights.shape)


def _factorise(matrix: sparse.csr_matrix) -> tuple[Floats, Floats]:
    """Unit vectors of rows and columns; zeros where there is nothing to factorise."""
    side = min(matrix.shape)
    if side < 2 or not matrix.count_nonzero():  # one user, one item, or everybody took the same
        return np.zeros((matrix.shape[0], 1)), np.zeros((matrix.shape[1], 1))
    rank = min(FACTORS, max(1, side // FACTORS_SHARE))
    if side <= DENSE_SIDE_MAX:
        left, singular, right = np.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        start = np.random.Generator(np.random.PCG64(0)).standard_normal(side)  # else svds draws its own
        left, singular, right = svds(matrix, k=rank, v0=start)
    root = np.sqrt(np.maximum(singular[:rank], 0.0))
    return _unit_rows(left[:, :rank] * root), _unit_rows(right[:rank].T * root)


def _unit_rows(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > ROUNDING)
    return unit


def _temperature(users: Floats, items: Floats, log_popularity: Floats) -> float:
    """The t for which the median user's log_popularity + t * taste has the standard deviation LOGIT_SD.

    With p and q the two terms: var(p) + 2 t cov(p,q) + t^2 var(q) = LOGIT_SD^2, the larger root.
    """
    spread = items - items.mean(axis=0)
    variance = ((users @ (spread.T @ spread)) * users).sum(axis=1) / len(items)
    covariance = users @ (spread.T @ log_popularity) / len(items)
    felt = variance > ROUNDING
    if not felt.any():
        return 1.0
    variance, covariance = variance[felt], covariance[felt]
    room = np.maximum(covariance**2 + variance * (LOGIT_SD**2 - log_popularity.var()), 0.0)
    wanted = np.maximum((np.sqrt(room) - covariance) / variance, TASTE_SD_MIN / np.sqrt(variance))
    return float(np.median(wanted))
