"""What one cold ranking costs in CPU: the gateway against what one would write first, and against two floors.

    python -m loadtests.client_cost [--rounds 25] [--quick] [--candidates 10000] [--json] [--profile]

Every contestant is a process of its own, and so is the upstream that all of them call. They take turns, so that what
the machine does at the moment meets all alike. A request is for a user nobody has seen, so nothing is cached; its cost
is the CPU time of the whole process, all threads, until it is idle again: what is stored afterwards is part of it.

    gateway (...)   the gateway as it is served, once for each transport
    naive           aiobotocore as it comes, `gather`, sort by score; no HTTP in, and it ranks wrongly
    aiohttp floor   a minimal aiohttp program that moves the same bytes both ways
    raw floor       the same on a bare `asyncio.Protocol` with msgspec: as little as this language can do
"""
