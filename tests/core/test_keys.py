"""Keys tell apart all that changes an answer, show nothing of it, and stay what they were."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.keys import frame_key, user_key
from gateway.core.model import Subject

TEXT = st.text(alphabet='au1:,"{}=\x00é', max_size=4)
MAPPING = st.dictionaries(TEXT, TEXT, max_size=2)
SUBJECTS = st.builds(
    Subject,
    campaign=TEXT,
    user_id=TEXT,
    context=MAPPING,
    filter_arn=st.none() | TEXT.filter(bool),
    filter_values=MAPPING.map(lambda values: {name: value.replace('"', "") for name, value in values.items()}),
    tenant=TEXT,
    variant=TEXT,
)

PLAIN = Subject(campaign="shop", user_id="user-1")
FULL = Subject(
    campaign="shop",
    user_id="user-1",
    context={"DEVICE": "phone", "DAYPART": "evening"},
    filter_arn="arn:aws:personalize:us-east-1:000000000000:filter/in-stock",
    filter_values={"CATEGORY": '"shoes","hats"', "BRAND": '"acme"'},
    tenant="north",
    variant="b",
)


def members(subject: Subject) -> tuple[Any, ...]:
    """All that a subject is made of, to compare by."""
    context, values = (tuple(sorted(each.items())) for each in (subject.context, subject.filter_values))
    return subject.campaign, subject.user_id, context, subject.filter_arn, values, subject.tenant, subject.variant


@given(SUBJECTS, SUBJECTS)
def test_different_subjects_have_different_keys(one: Subject, other: Subject) -> None:
    """Two subjects share a key if, and only if, they are the same in every member."""
    assert (frame_key(one) == frame_key(other)) == (members(one) == members(other))


@given(SUBJECTS, st.data())
def test_every_member_counts(subject: Subject, data: st.DataObject) -> None:
    """Taking any one member from another subject changes the key, unless it is the same there."""
    other = data.draw(SUBJECTS)
    member = data.draw(st.sampled_from(["campaign", "user_id", "context", "filter_arn", "filter_values", "tenant"]))
    changed = replace(subject, **{member: getattr(other, member)})
    assert (frame_key(subject) == frame_key(changed)) == (getattr(subject, member) == getattr(other, member))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"tenant": "", "user_id": "t1:u"}, {"tenant": "t1", "user_id": "u"}),
        ({"tenant": "t", "user_id": "1u"}, {"tenant": "t1", "user_id": "u"}),
        ({"campaign": "ab", "variant": ""}, {"campaign": "a", "variant": "b"}),
        ({"context": {"a": "bc"}}, {"context": {"ab": "c"}}),
        ({"context": {"a": "b"}}, {"filter_values": {"a": "b"}}),
        ({"context": {"a": "b", "c": "d"}}, {"context": {"a": "b"}, "filter_values": {"c": "d"}}),
        ({"filter_values": {"a": '"b,c"'}}, {"filter_values": {"a": '"b","c"'}}),
        ({"filter_values": {"a": '"b","b"'}}, {"filter_values": {"a": '"b"'}}),
        ({"context": {"a": '"x","y"'}}, {"context": {"a": '"y","x"'}}),
        ({"user_id": "\ud800"}, {"user_id": "\ud801"}),
    ],
)
def test_members_do_not_run_into_each_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Pairs that a key glued together from plain text would mix up have keys of their own."""
    assert frame_key(replace(PLAIN, **one)) != frame_key(replace(PLAIN, **other))


def test_the_order_of_names_does_not_count() -> None:
    """Context and filter values are mappings: the order in which their names came says nothing."""
    turned = replace(
        FULL,
        context=dict(reversed(FULL.context.items())),
        filter_values=dict(reversed(FULL.filter_values.items())),
    )
    assert frame_key(turned) == frame_key(FULL)


@given(st.lists(st.text(alphabet="ab,é ", max_size=3), min_size=1, max_size=5).flatmap(st.permutations))
def test_the_order_of_quoted_filter_values_does_not_count(values: list[str]) -> None:
    """A list of quoted values is a set to the filter."""
    listed, turned = (",".join(f'"{value}"' for value in each) for each in (values, sorted(values)))
    keys = {frame_key(replace(FULL, filter_values={"CATEGORY": value})) for value in (listed, turned)}
    assert len(keys) == 1


def test_a_key_shows_nothing_of_its_subject() -> None:
    """A key is a version and two digests, the user's in braces as the hash tag, and no member in clear."""
    key = frame_key(FULL).frame
    assert re.fullmatch(r"rerank:1:\{[0-9a-f]{32}\}:[0-9a-f]{32}", key)
    for text in ("shop", "user-1", "north", "phone", "DEVICE", "shoes", "in-stock"):
        assert text not in key


def test_a_repr_shows_no_user() -> None:
    """The user, the context and the filter values cannot slip into a log by a subject's repr."""
    for text in ("user-1", "phone", "shoes"):
        assert text not in repr(FULL)


@given(TEXT, TEXT, SUBJECTS)
def test_all_of_a_user_hangs_on_the_users_key(tenant: str, user_id: str, subject: Subject) -> None:
    """Every frame key of a user begins with the user's key, which depends on tenant and user id alone."""
    subject = replace(subject, tenant=tenant, user_id=user_id)
    key = frame_key(subject)
    assert key.user == user_key(tenant, user_id)
    assert key.frame.startswith(key.user + ":")


def test_keys_stay_what_they_were() -> None:
    """A key that changed without a new schema number would silently empty every cache at an upgrade."""
    assert user_key("", "user-1") == "rerank:1:{05e5a1c925c9ebff538714485350d869}"
    assert frame_key(PLAIN).frame == "rerank:1:{05e5a1c925c9ebff538714485350d869}:7c9e95d749402c1d24dcd2ea2b5ef1c1"
    assert frame_key(FULL).frame == "rerank:1:{d102151a9864bfedf16ff54079dd617f}:a01e4adf54dce5ef24de14f324bebb8f"
