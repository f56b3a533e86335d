"""A goal of the project beside what was measured."""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What was measured against which limit; `at` says on which side of it is good."""

    what: str
    figure: float
    limit: float
    unit: str = "x"
    at: Literal["most", "least", "exactly"] = "most"

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side; one that is missing (NaN) is not."""
        if self.at == "most":
            return self.figure <= self.limit
        return self.figure >= self.limit if self.at == "least" else self.figure == self.limit

    def told(self) -> dict[str, Any]:
        """For the report."""
        return {**asdict(self), "met": self.met}

    @property
    def words(self) -> tuple[str, str]:
        """Figure and limit as people read them."""
        sign = {"most": "≤", "least": "≥", "exactly": "="}[self.at]
        unit = self.unit if self.unit in ("x", "%") else f" {self.unit}".rstrip()
        return f"{self.figure:.4g}{unit}", f"{sign} {self.limit:g}{unit}"
