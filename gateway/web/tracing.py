"""The caller's trace (W3C Trace Context): checked at the door, kept with the request, sent along with its calls.

What is not of the form of the recommendation is dropped, as it demands, and never reaches a log or a header.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.ports import TRACE

TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
TRACESTATE: Final = re.compile(r"[\x20-\x7e]{1,512}")


def follow(headers: Mapping[str, str]) -> str | None:
    """Let everything that is done from here on belong to the trace that the headers name; its id, if they name one."""
    parent = headers.get("traceparent", "").strip()
    found = TRACEPARENT.fullmatch(parent)
    if found is None:
        TRACE.set(())
        return None
    state = headers.get("tracestate", "").strip()
    both = (("traceparent", parent), ("tracestate", state))
    TRACE.set(both if TRACESTATE.fullmatch(state) else both[:1])
    return found[1]
