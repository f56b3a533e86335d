"""What filters keep: expressions in every documented form over four items, and the rules about values and nulls."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.emulator.filters import FilterValueError, parse

# a and b are shoes, c is a luxury watch, d has nothing but a category of its own.
ITEMS: dict[str, dict[str, str]] = {
    "a": {"CATEGORY": "shoe", "CATEGORY_L1": "shoe", "CATEGORY_L2": "sneaker", "GENRE": "comedy|drama",
          "PRICE": "20.0", "CREATION_TIMESTAMP": "100", "DOWNLOADS": "7", "AVAILABLE": "True"},
    "b": {"CATEGORY": "shoe", "CATEGORY_L1": "shoe", "CATEGORY_L2": "boot", "GENRE": "drama",
          "PRICE": "90", "CREATION_TIMESTAMP": "200", "DOWNLOADS": "300", "AVAILABLE": "False"},
    "c": {"CATEGORY": "watch", "CATEGORY_L1": "watch", "CATEGORY_L2": "luxury", "GENRE": "horror",
          "PRICE": "900", "CREATION_TIMESTAMP": "300", "DOWNLOADS": "7", "AVAILABLE": "True"},
    "d": {"CATEGORY": "book", "PRICE": ""},
}  # fmt: skip
ACTIONS: dict[str, dict[str, str]] = {
    "a": {"CATEGORY": "signup", "VALUE": "5", "MEMBERSHIP_LEVEL": "Premium"},
    "b": {"CATEGORY": "upgrade", "VALUE": "50", "MEMBERSHIP_LEVEL": "Basic"},
}
USER = {"AGE": "30", "MEMBERSHIP": "premium", "CITY": ""}
EVENTS: list[dict[str, str | float]] = [
    {"ITEM_ID": "a", "ACTION_ID": "a", "EVENT_TYPE": "click", "TIMESTAMP": 1},
    {"ITEM_ID": "b", "ACTION_ID": "b", "EVENT_TYPE": "Stream", "TIMESTAMP": 2},
    {"ITEM_ID": "c", "ACTION_ID": "c", "EVENT_TYPE": "favorite", "TIMESTAMP": 3},
    {"ITEM_ID": "a", "ACTION_ID": "a", "EVENT_TYPE": "purchase", "TIMESTAMP": 4},
]


def kept(
    expression: str, values: Mapping[str, str] | None = None, current_item: Mapping[str, str] | None = None, **more: Any
) -> str:
    """The ids that stay, as one word."""
    parsed = parse(expression)
    rows = ACTIONS if parsed.kind == "ActionID" else ITEMS
    facts = {"interactions": lambda: EVENTS, "user": USER, **more}
    flags = parsed.keep(
        list(rows),
        item_properties=lambda item: rows.get(item, {}),
        values=values or {},
        current_item=current_item,
        **facts,
    )
    return "".join(item for item, stays in zip(rows, flags, strict=True) if stays)


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        # item interactions: types match in any case
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($EVENT_TYPE)", {"EVENT_TYPE": '"click"'}, "bcd"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($EVENT_TYPE)", {"EVENT_TYPE": '"CLICK","stream"'}, "cd"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream")', {}, "cd"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")', {}, "a"),
        ('EXCLUDE itemId WHERE INTERACTIONS.event_type in ("Purchase")', {}, "bcd"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', {}, "abc"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', {}, "d"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", {}, "d"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("click")', {}, "bcd"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE = "stream"', {}, "b"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click") OR Interactions.EVENT_TYPE IN ("favorite")', {},
         "ac"),
        # items: strings match exactly, any value of a multi-valued column counts
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)", {"CATEGORY": '"shoe"'}, "cd"),
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)", {"CATEGORY": '"shoe", "book"'}, "c"),
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)", {"CATEGORY": '"Shoe"'}, "abcd"),
        ('EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("shoe") AND Items.CATEGORY_L2 NOT IN ("boot")', {}, "bcd"),
        ("INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)", {"GENRE": '"comedy","horror"'}, "ac"),
        ("INCLUDE ItemID WHERE Items.genre in ($GENRE)", {"GENRE": '"drama"'}, "ab"),
        ('INCLUDE ItemID WHERE Items.GENRE NOT IN ("comedy")', {}, "bc"),
        ('INCLUDE ItemID WHERE Items.AVAILABLE IN ("True")', {}, "ac"),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("watch", "book")', {}, "cd"),
        # numbers
        ("INCLUDE ItemID WHERE Items.PRICE <= $PRICE", {"PRICE": "90"}, "ab"),
        ("INCLUDE ItemID WHERE Items.PRICE <= $PRICE", {"PRICE": '"90.0"'}, "ab"),
        ("INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP < $DATE", {"DATE": "200"}, "a"),
        ("INCLUDE ItemID WHERE Items.creation_timestamp > 150", {}, "bc"),
        ("INCLUDE ItemID WHERE Items.DOWNLOADS = $DOWNLOADS", {"DOWNLOADS": "7.0"}, "ac"),
        ("INCLUDE ItemID WHERE Items.DOWNLOADS != 7", {}, "b"),
        ("INCLUDE ItemID WHERE Items.PRICE >= 90 AND Items.PRICE < 900", {}, "b"),
        ("INCLUDE ItemID WHERE Items.PRICE < 30 OR Items.PRICE > 800", {}, "ac"),
        ('EXCLUDE ItemID WHERE Items.GENRE IN ("drama") AND Items.PRICE > 50 OR Items.CATEGORY IN ("book")', {}, "ac"),
        # nulls, and Items.CATEGORY is there for all
        ("INCLUDE ItemID WHERE Items.PRICE IS NULL", {}, "d"),
        ("INCLUDE ItemID WHERE Items.GENRE IS NOT NULL", {}, "abc"),
        # the user
        ("EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE = $AGE", {"GENRE": '"drama"', "AGE": "30"},
         "cd"),
        ("EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE = $AGE", {"GENRE": '"drama"', "AGE": "31"},
         "abcd"),
        (('INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("watch") AND Items.CATEGORY_L2 IN ("luxury") '
         "IF CurrentUser.AGE > 18"), {}, "c"),
        ('INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("watch") IF CurrentUser.AGE > 30', {}, "abcd"),
        ('EXCLUDE ItemID WHERE Items.PRICE > 50 IF CurrentUser.AGE > 18 AND CurrentUser.MEMBERSHIP IN ("premium")', {},
         "ad"),
        ("EXCLUDE ItemID WHERE Items.PRICE > 50 IF CurrentUser.CITY IS NOT NULL", {}, "abcd"),
        # chains
        (('INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY) | INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN '
         '("favorite")'), {"CATEGORY": '"book"'}, "cd"),
        (('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN '
         '("click", "stream")'), {"GENRE": '"drama","horror"'}, "c"),
        ('EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("Purchase")|INCLUDE ItemID WHERE Items.GENRE IN ("drama")',
         {}, "b"),
        ('EXCLUDE ItemID WHERE Items.CATEGORY IN ("book") | EXCLUDE ItemID WHERE Items.PRICE > 800', {}, "ab"),
        (("EXCLUDE ItemID WHERE Items.GENRE IN ($GENRES) | EXCLUDE ItemID WHERE Items.DOWNLOADS > 200 "
         "IF CurrentUser.AGE > 17"), {"GENRES": '"horror"'}, "ad"),
        (('INCLUDE ItemID WHERE Items.PRICE < 30 | INCLUDE ItemID WHERE Items.PRICE > 80 | EXCLUDE ItemID WHERE '
         'Items.AVAILABLE IN ("False") | EXCLUDE ItemID WHERE Items.CATEGORY IN ("watch")'), {}, "a"),
        # actions
        ("INCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ($EVENT_TYPE)", {"EVENT_TYPE": '"click"'}, "a"),
        ('EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("CLICK")', {}, "b"),
        ("EXCLUDE ActionID WHERE Actions.CATEGORY IN ($CATEGORY)", {"CATEGORY": '"signup"'}, "b"),
        ("INCLUDE ActionID WHERE Actions.VALUE > ($VALUE)", {"VALUE": "10"}, "b"),
        ('INCLUDE ActionID WHERE Action.MEMBERSHIP_LEVEL IN ("Premium") IF CurrentUser.MEMBERSHIP = $PREMIUM',
         {"PREMIUM": '"premium"'}, "a"),
        ("EXCLUDE ActionID WHERE Actions.VALUE < ($VALUE) IF CurrentUser.MEMBERSHIP = $PREMIUM",
         {"VALUE": "10", "PREMIUM": '"premium"'}, "b"),
    ],
)  # fmt: skip
def test_documented_forms(expression: str, values: dict[str, str], expected: str) -> None:
    """Each form of the language keeps the items that the documentation describes."""
    assert kept(expression, values) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN CurrentItem.GENRE", "a"),
        ("INCLUDE ItemID WHERE Items.PRICE > CurrentItem.PRICE", "c"),
        ("INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.STUDIO", ""),
        ("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.STUDIO", ""),
        ("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.GENRE", ""),
        ("EXCLUDE ItemID WHERE Items.CATEGORY = CurrentItem.CATEGORY", "cd"),
    ],
)
def test_the_current_item(expression: str, expected: str) -> None:
    """Fields of the item that a call is about are compared like values; its nulls match nothing."""
    assert kept(expression, current_item=ITEMS["b"]) == expected


def test_a_ranking_has_no_current_item() -> None:
    """A filter with CurrentItem is refused where there is no such item."""
    assert parse("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE").needs_current_item
    with pytest.raises(FilterValueError, match="related items"):
        kept("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE")


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($C)", {}, "abcd"),
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($C)", {"c": '"shoe"'}, "abcd"),  # names are case-sensitive
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($C) OR Items.PRICE > 800", {}, "abd"),
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($C) AND Items.PRICE > 800", {}, "abd"),
        ("EXCLUDE ItemID WHERE Items.PRICE > 50 IF CurrentUser.AGE = $AGE", {}, "abcd"),
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN ($C) | INCLUDE ItemID WHERE Items.PRICE > 50", {}, "bc"),
    ],
)
def test_an_exclude_without_a_value_skips_that_part(expression: str, values: dict[str, str], expected: str) -> None:
    """An omitted parameter of an EXCLUDE takes its condition out of use, and nothing else."""
    assert kept(expression, values) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)",
        "INCLUDE ItemID WHERE Items.PRICE > 1 OR Items.PRICE < $GENRE",
        "INCLUDE ItemID WHERE Items.PRICE > 1 IF CurrentUser.AGE = $GENRE",
        "EXCLUDE ItemID WHERE Items.PRICE > 1 | INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)",
    ],
)
def test_an_include_needs_all_values(expression: str) -> None:
    """An omitted parameter of an INCLUDE is an error that names it."""
    with pytest.raises(FilterValueError, match="GENRE"):
        kept(expression, {"genre": '"drama"'})


@pytest.mark.parametrize("value", ["secret", '"secret', '"secret" "b"', '"secret",', "", ",", "'secret'", "1,secret"])
@pytest.mark.parametrize("verb", ["INCLUDE", "EXCLUDE"])
def test_badly_quoted_values(verb: str, value: str) -> None:
    """A value that is not quoted as documented is an error that names the parameter but not the value."""
    with pytest.raises(FilterValueError, match="GENRE") as caught:
        kept(f"{verb} ItemID WHERE Items.GENRE IN ($GENRE)", {"GENRE": value})
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(("value", "reason"), [('"cheap"', "must be a number"), ("1,2", "takes one value")])
def test_values_that_do_not_fit_the_operator(value: str, reason: str) -> None:
    """An order compares with exactly one number."""
    with pytest.raises(FilterValueError, match=reason):
        kept("INCLUDE ItemID WHERE Items.PRICE < $PRICE", {"PRICE": value})


def test_strings_may_hold_commas_and_bars() -> None:
    """A quoted value is taken as it is, commas included."""
    rows = {"a": {"TITLE": "one, two"}, "b": {"TITLE": "one"}}
    flags = parse("INCLUDE ItemID WHERE Items.TITLE IN ($T)").keep(
        list(rows), item_properties=rows.__getitem__, interactions=list, user={}, values={"T": '"one, two"'}
    )
    assert flags == [True, False]


@pytest.mark.parametrize(("count", "expected"), [(99, ""), (100, "a")])
def test_only_the_most_recent_interactions_count(count: int, expected: str) -> None:
    """Of each type the 100 most recent events count, whatever their order in the list."""
    newer = [{"ITEM_ID": "b", "EVENT_TYPE": "Click", "TIMESTAMP": 10 + n} for n in range(count)]
    events = [*newer, {"ITEM_ID": "a", "EVENT_TYPE": "click", "TIMESTAMP": 1}]
    found = kept('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")', interactions=lambda: events)
    assert found.replace("cd", "") == expected


def test_interactions_are_asked_for_once_and_only_if_needed() -> None:
    """A filter on items never asks for the user's interactions, a filter on several types asks once."""
    asked: list[str] = []

    def interactions() -> list[dict[str, str | float]]:
        asked.append("asked")
        return EVENTS

    kept("INCLUDE ItemID WHERE Items.PRICE > 1", interactions=interactions)
    assert asked == []
    kept('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a") OR Interactions.EVENT_TYPE IN ("b")',
         interactions=interactions)  # fmt: skip
    assert asked == ["asked"]


def test_what_a_filter_says_about_itself() -> None:
    """Kind and parameters come from the whole chain."""
    chain = parse("EXCLUDE ItemID WHERE Items.A IN ($X) | INCLUDE ItemID WHERE Items.B < $y IF CurrentUser.C = $Z")
    assert (chain.kind, chain.parameters) == ("ItemID", {"X", "y", "Z"})
    assert parse('EXCLUDE actionid WHERE Actions.A IN ("x")').kind == "ActionID"
