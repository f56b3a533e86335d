"""`Ranker` over aiobotocore: one call of an operation, once, checked before it is believed."""

from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.aws_errors import translate
from gateway.adapters.wire_listing import METHODS, listing_of, members_of
from gateway.core.answer import Answer, check_answer, check_metadata
from gateway.core.errors import Malformed
from gateway.core.question import Listing, Question
from gateway.core.routing import region_of
from gateway.ports import Call

SERVICE: Final = "personalize-runtime"


class PersonalizeRanker:
    """Calls campaigns, each in the region of its ARN."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    async def open(self, arns: list[str]) -> None:
        """Make the clients for these ARNs before any caller has to wait for them.

        Raises `InvalidInput` for a region that cannot be, `AccessDenied` for a profile that does not exist. Credentials
        that are not there yet are no fault: they may come.
        """
        for arn in arns:
            try:
                await self._clients.of(SERVICE, region_of(arn))
            except BotoCoreError as error:
                raise (translate(error, "") or error) from error

    async def rank(self, call: Call) -> Answer:
        """Make the call. Errors are those of `ports.Ranker`."""
        subject = call.subject
        members: dict[str, Any] = {"campaignArn": call.arn, "userId": subject.user_id, "inputList": call.items}
        if subject.context:
            members["context"] = dict(subject.context)
        if subject.filter_arn:
            members["filterArn"] = subject.filter_arn
            members["filterValues"] = dict(subject.filter_values)
        if call.metadata_columns:
            members["metadataColumns"] = {"ITEMS": list(call.metadata_columns)}
        return _checked(call, await self._called(call.arn, "get_personalized_ranking", members, subject.user_id))

    async def ask(self, arn: str, question: Question) -> Listing:
        """Make the call of a question. Errors are those of `ports.Ranker`."""
        method, members = METHODS[question.operation], members_of(arn, question)
        return listing_of(question, await self._called(arn, method, members, question.subject.user_id))

    async def _called(self, arn: str, method: str, members: dict[str, Any], user_id: str) -> Any:
        try:
            return await self._clients.call(SERVICE, region_of(arn), method, members)
        except Exception as error:
            ours = translate(error, user_id)
            if ours is None:
                raise
            raise ours from error


def _checked(call: Call, response: Any) -> Answer:
    ranked = response.get("personalizedRanking")
    if not isinstance(ranked, list):
        raise Malformed("the answer has no personalizedRanking")
    try:
        items, scores = [one.get("itemId") for one in ranked], [one.get("score") for one in ranked]
    except AttributeError:
        raise Malformed("the answer's personalizedRanking holds something else than items") from None
    answer = check_answer(
        call.items, items, scores, response.get("recommendationId"), filtered=call.subject.filter_arn is not None
    )
    if not call.metadata_columns:
        return answer
    return replace(answer, metadata=check_metadata([one.get("metadata") for one in ranked]))
