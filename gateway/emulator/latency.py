"""How long a call takes: draws from a lognormal distribution, the same sequence for the same seed."""

import numpy as np


class Latency:
    """Draws latencies with the median `median_ms`, whose logarithm has the standard deviation `sigma`.

    A share of `slow_share` takes `slow_ms` longer.
    """

    def __init__(
        self, *, median_ms: float, sigma: float, seed: int | list[int], slow_share: float = 0.0, slow_ms: float = 0.0
    ) -> None:
        self._median_s = median_ms / 1000
        self._sigma = sigma
        self._slow_share = slow_share
        self._slow_s = slow_ms / 1000
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def __repr__(self) -> str:
        return f"Latency(median_ms={self._median_s * 1000:g}, sigma={self._sigma:g}, slow_share={self._slow_share:g})"

    def draw_s(self) -> float:
        """The next latency, in seconds."""
        usual_s = self._median_s * float(self._rng.lognormal(0.0, self._sigma))
        return usual_s + (self._slow_s if self._slow_share and self._rng.random() < self._slow_share else 0.0)
