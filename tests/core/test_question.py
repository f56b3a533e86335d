"""Questions and listings: what may be believed, and what tells two questions apart."""

from dataclasses import replace

import pytest

from gateway.core.errors import Malformed
from gateway.core.keys import frame_key, question_key, user_key
from gateway.core.model import Subject
from gateway.core.question import Operation, Promotion, Question, check_listing

FILTER = "arn:aws:personalize:eu-west-1:123456789012:filter/f"
SUBJECT = Subject("shop", "u-1", {"DEVICE": "mobile"}, FILTER, {"BRAND": '"a","b"'}, tenant="t")
PROMOTION = Promotion("deal", 50, FILTER, {"BRAND": '"c"'})
QUESTION = Question(Operation.RECOMMENDATIONS, SUBJECT, 5, "i-1", (PROMOTION,), {"ITEMS": ("PRICE", "TITLE")})

OTHERS = {
    "operation": replace(QUESTION, operation=Operation.ACTIONS),
    "number": replace(QUESTION, results=6),
    "number left to the service": replace(QUESTION, results=None),
    "none": replace(QUESTION, results=0),
    "item": replace(QUESTION, item_id="i-2"),
    "no promotion": replace(QUESTION, promotions=()),
    "promotion's name": replace(QUESTION, promotions=(replace(PROMOTION, name="other"),)),
    "promotion's share": replace(QUESTION, promotions=(replace(PROMOTION, percent=5),)),
    "promotion's filter": replace(QUESTION, promotions=(replace(PROMOTION, filter_arn=None),)),
    "promotion's values": replace(QUESTION, promotions=(replace(PROMOTION, filter_values={"BRAND": '"d"'}),)),
    "no columns": replace(QUESTION, columns={}),
    "fewer columns": replace(QUESTION, columns={"ITEMS": ("PRICE",)}),
    "user": replace(QUESTION, subject=replace(SUBJECT, user_id="u-2")),
    "no user": replace(QUESTION, subject=replace(SUBJECT, user_id="")),
    "tenant": replace(QUESTION, subject=replace(SUBJECT, tenant="other")),
    "campaign": replace(QUESTION, subject=replace(SUBJECT, campaign="other")),
    "variant": replace(QUESTION, subject=replace(SUBJECT, variant="b")),
    "context": replace(QUESTION, subject=replace(SUBJECT, context={"DEVICE": "desk"})),
    "filter": replace(QUESTION, subject=replace(SUBJECT, filter_arn=f"{FILTER}2")),
    "values": replace(QUESTION, subject=replace(SUBJECT, filter_values={"BRAND": '"a"'})),
}


@pytest.mark.parametrize("name", OTHERS)
def test_everything_that_changes_the_answer_is_in_the_key(name: str) -> None:
    """Two questions that differ in anything that was asked never share a listing."""
    assert question_key(OTHERS[name]).frame != question_key(QUESTION).frame


def test_what_means_the_same_has_one_key() -> None:
    """The order of columns, of names and of the values of a filter says nothing."""
    same = replace(
        QUESTION,
        subject=replace(SUBJECT, filter_values={"BRAND": '"b","a"'}),
        columns={"ITEMS": ("TITLE", "PRICE", "TITLE")},
    )
    assert question_key(same) == question_key(QUESTION)


def test_a_listing_follows_its_users_epoch() -> None:
    """A question of a user lies beside the user's epoch and frames, and is none of them."""
    key = question_key(QUESTION)
    assert key.user == user_key("t", "u-1") == frame_key(SUBJECT).user
    assert key.frame.startswith(key.user)
    assert key.frame != frame_key(SUBJECT).frame


def test_questions_without_a_user_are_spread() -> None:
    """Questions that name no user have no epoch in common, so that a cluster holds them on all of its nodes."""
    one, two = (
        question_key(replace(QUESTION, subject=replace(SUBJECT, user_id=""), item_id=item)) for item in ("i-1", "i-2")
    )
    assert one.user != two.user
    assert one.user != user_key("t", "")


def test_nothing_of_a_question_stands_in_its_key() -> None:
    """Keys are digests: neither user nor item nor filter can be read from one."""
    assert not any(part in "".join(question_key(QUESTION)) for part in ("u-1", "i-1", "shop", "filter", "deal"))


def test_ids_do_not_show() -> None:
    """The repr of a question names neither user nor item."""
    assert "u-1" not in repr(QUESTION)
    assert "i-1" not in repr(QUESTION)


BAD = {
    "too long": ([(f"i-{place}", None) for place in range(6)], [0.1] * 6),
    "twice": ([("a", None), ("a", None)], [0.1, 0.1]),
    "nameless": ([("", None)], [0.1]),
    "NaN": ([("a", None)], [float("nan")]),
    "infinite": ([("a", None)], [float("inf")]),
    "negative": ([("a", None)], [-0.1]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_breaks_its_contract_is_refused(name: str) -> None:
    """A listing that no model gives is a failed call."""
    with pytest.raises(Malformed):
        check_listing(QUESTION, *BAD[name])


def test_what_the_service_gives_is_believed() -> None:
    """Scores may be missing, the list short or empty, and a promoted item may stand among the others too."""
    check_listing(QUESTION, [("a", None), ("a", "deal"), ("b", None)], [0.5, None, 0])
    check_listing(QUESTION, [], [])
    check_listing(replace(QUESTION, results=None), [(f"i-{place}", None) for place in range(500)], [None] * 500)
