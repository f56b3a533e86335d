"""Libraries that others import by the way, and that nothing here ever uses: they would cost 5 MiB and 100 ms a start.

    rich                structlog's coloured stories of exceptions; ours are plain, as the others show local variables
    opentelemetry.sdk   redis-py's own metrics, which are off; `otel_sdk` imports it where traces are wanted

Both are optional to those who import them. `None` in `sys.modules` is Python's own way to say that there is no module
of that name; it is taken back at once, so whoever asks for it later gets it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

UNUSED: Final = ("rich", "opentelemetry.sdk")


@contextmanager
def spared(names: tuple[str, ...] = UNUSED) -> Iterator[None]:
    """Imports within find none of these libraries, unless they are there already."""
    modules: dict[str, Any] = sys.modules  # typed as if it held nothing but modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            modules.pop(name, None)
