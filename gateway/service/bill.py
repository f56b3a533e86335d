"""What is billed, and what frames save of it, by tenant. Tenants are configured names, so there are not many.

*Billed* is every attempt that was sent upstream for a ranking or a listing: first ones, retries, hedges, bridges,
metadata, and renewals in the background. *Saved* is, for every ranking that was answered,

    max(0, calls that a cold ranking of the candidates it could place would have taken, without any trouble
           - attempts that were made for it)

so a ranking out of a frame saves all of its calls, one with 500 new items among 10,000 saves 20 of 21, and one that
rides on the calls of another saves its own. What could not be ranked saves nothing: calls that a breaker kept back are
not a gain. It is never too much: of an ordinal ranking only the first round is put down, metadata not at all.
"""

from collections import Counter

from gateway.core.plan import cold_calls


class Bill:
    """Calls since the start; the tenant is empty where nobody is asked who calls."""

    def __init__(self) -> None:
        self.billed: Counter[str] = Counter()
        self.saved: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Bill billed={self.billed.total()} saved={self.saved.total()}>"

    def ranked(self, tenant: str, placed: int, made: int) -> None:
        """Count what a ranking saved that placed so many candidates and made so many attempts."""
        self.saved[tenant] += max(0, cold_calls(placed) - made)
