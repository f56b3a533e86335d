"""One request of a command to a gateway or an emulator, and what its failure is called."""

from typing import Any

import aiohttp
import orjson

from gateway.cli.console import fail


async def fetch(
    session: aiohttp.ClientSession, url: str, members: dict[str, Any] | None = None, key: str | None = None
) -> Any:
    """The decoded answer to a GET, or to a POST of `members`; ends the command with the reason if there is none."""
    headers = {"X-Api-Key": key.strip()} if key else {}
    options: dict[str, Any] = {"method": "GET", "headers": headers}
    if members is not None:
        headers["Content-Type"] = "application/json"
        options = {"method": "POST", "data": orjson.dumps(members), "headers": headers}
    try:
        async with session.request(url=url, **options) as response:
            answer = orjson.loads(await response.read())
    except (aiohttp.ClientError, OSError, ValueError) as error:  # the last: no JSON, or a key that no header can hold
        fail(f"no answer from {url} ({type(error).__name__})")
    if response.status != 200:
        fail(*_problem_lines(answer))
    return answer


def _problem_lines(problem: dict[str, Any]) -> list[str]:
    """A problem body for people: what, and every member that was refused."""
    lines = [f"{problem.get('title', 'refused')}: {problem.get('detail', problem.get('message', ''))}"]
    return lines + [f"{fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", ())]
