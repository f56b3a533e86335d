"""Which requests are recorded, as `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` have it.

    always_on, always_off       all; none
    traceidratio                by a share of all ids (the argument, 0 to 1): the same traces in every process
    parentbased_...             as the caller's trace, if there is one; else as above

They are the samplers of the standard as a question about two numbers, since it is asked for every request; tests hold
them against the SDK's. A name or a share that is none of these counts as parentbased_always_on and 1, as the SDK has
it, which also warns.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

Sampler: TypeAlias = Callable[[int, bool | None], bool]
"""Of the id of a trace, and whether the caller has it recorded (None: there is no caller's): whether we do."""

DEFAULT: Final = "parentbased_always_on"
BY_PARENT: Final = "parentbased_"
IDS: Final = 1 << 64
"""Half of an id is looked at, the lower one: it is random, whoever made it."""


def sampler_of(variables: Mapping[str, str]) -> Sampler:
    """The sampler that the variables name."""
    name = variables.get("OTEL_TRACES_SAMPLER", DEFAULT).lower()
    share = {"always_on": 1.0, "always_off": 0.0, "traceidratio": _share(variables)}.get(name.removeprefix(BY_PARENT))
    if share is None:
        name, share = DEFAULT, 1.0
    below = round(share * IDS)

    def of_ids(trace: int, _: bool | None) -> bool:
        return trace % IDS < below

    def of_parents(trace: int, parent: bool | None) -> bool:
        return trace % IDS < below if parent is None else parent

    return of_parents if name.startswith(BY_PARENT) else of_ids


def _share(variables: Mapping[str, str]) -> float:
    try:
        share = float(variables.get("OTEL_TRACES_SAMPLER_ARG", ""))
    except ValueError:
        return 1.0
    return share if 0.0 <= share <= 1.0 else 1.0
