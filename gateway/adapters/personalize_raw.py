"""One GetPersonalizedRanking call whose answer is handed on as it came: for the audit, which wants to see it.

Lists that `Ranker` may not send (empty, too long, with repeated items) are possible here, and what the service says of
them is an outcome and not an error.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.aws_errors import MESSAGE_MAX_CHARS, translate, without
from gateway.adapters.personalize import SERVICE
from gateway.core.audit.heard import RawAnswer, Refusal
from gateway.core.errors import AccessDenied, Malformed, Throttled
from gateway.core.model import Subject
from gateway.core.routing import region_of
from gateway.ports import Clock

NO_REFUSALS: Final = (AccessDenied, Throttled)
"""What a call may be refused for without any regard to its list."""


class RawPersonalize:
    """Asks one campaign for one subject, whose filter counts in filtered calls only."""

    def __init__(self, clients: AwsClients, clock: Clock, arn: str, subject: Subject) -> None:
        self._clients = clients
        self._clock = clock
        self._arn = arn
        self._subject = subject

    async def ask(self, items: Sequence[str], *, filtered: bool = False) -> RawAnswer | Refusal:
        """Make the call, once.

        Raises `Throttled`, `AccessDenied`, `Unavailable` where nothing answers, `Malformed` for what is no ranking.
        """
        members: dict[str, Any] = {
            "campaignArn": self._arn,
            "userId": self._subject.user_id,
            "inputList": list(items),
        }
        if filtered:
            members["filterArn"] = self._subject.filter_arn
            members["filterValues"] = dict(self._subject.filter_values)
        began_s = self._clock.stopwatch_s()
        try:
            client = await self._clients.of(SERVICE, region_of(self._arn))
            response = await client.get_personalized_ranking(**members)
        except ClientError as error:
            ours = translate(error, self._subject.user_id)
            if isinstance(ours, NO_REFUSALS):
                raise ours from error
            return self._refusal(error, (self._clock.stopwatch_s() - began_s) * 1e3)
        except Exception as error:
            unreachable = translate(error, self._subject.user_id)
            if unreachable is None:
                raise
            raise unreachable from error
        return _read(response, (self._clock.stopwatch_s() - began_s) * 1e3)

    def _refusal(self, error: ClientError, latency_ms: float) -> Refusal:
        said: Mapping[str, Any] = error.response.get("Error", {})
        return Refusal(
            status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
            code=str(said.get("Code", "")),
            message=without(self._subject.user_id, str(said.get("Message") or ""))[:MESSAGE_MAX_CHARS],
            latency_ms=latency_ms,
        )


def _read(response: Any, latency_ms: float) -> RawAnswer:
    entries = response.get("personalizedRanking")
    if entries is None and response.get("recommendationId"):
        entries = []  # null, which the SDK leaves out, is how nothing may look
    if not isinstance(entries, list):
        raise Malformed("the answer has no personalizedRanking")
    if not all(isinstance(entry, dict) for entry in entries):
        raise Malformed("the answer's personalizedRanking holds something else than items")
    return RawAnswer([one.get("itemId") for one in entries], [one.get("score") for one in entries], latency_ms)
