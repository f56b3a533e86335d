"""How long a call takes: draws from a lognormal distribution, the same sequence for the same seed."""

import numpy as np


class Latency:
    """Draws latencies with the median `median_ms`, whose logarithm has the standard deviation `sigma`."""

    def __init__(self, *, median_ms: float, sigma: float, seed: int) -> None:
        self._median_s = median_ms / 1000
        self._sigma = sigma
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def __repr__(self) -> str:
        return f"Latency(median_ms={self._median_s * 1000:g}, sigma={self._sigma:g})"

    def draw_s(self) -> float:
        """The next latency, in seconds."""
        return self._median_s * float(self._rng.lognormal(0.0, self._sigma))
