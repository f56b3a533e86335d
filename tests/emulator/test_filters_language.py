"""The language of filters: places of errors, the canonical spelling, and laws of logic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.emulator.filters import Filter, FilterError, parse
from gateway.emulator.filters.syntax import Condition, Expression, Field, Number, Parameter, Place, Text

NOWHERE = Place(0, 0)

repeatable = settings(derandomize=True, deadline=None, database=None)


@pytest.mark.parametrize(
    ("expression", "line", "column", "reason"),
    [
        ("", 1, 1, "between 1 and 2500"),
        ('INCLUDE ItemID WHERE Items.A IN ("' + "x" * 2500 + '")', 1, 1, "between 1 and 2500"),
        ("   ", 1, 4, "INCLUDE or EXCLUDE should follow"),
        ("SHOW ItemID WHERE Items.A = 1", 1, 1, "expected INCLUDE or EXCLUDE, found SHOW"),
        ("INCLUDE", 1, 8, "ItemID or ActionID should follow"),
        ("INCLUDE ItemsID WHERE Items.A = 1", 1, 9, "expected ItemID"),
        ("INCLUDE ItemID Items.A = 1", 1, 16, "expected WHERE, found Items"),
        ("INCLUDE ItemID WHERE", 1, 21, "dataset.field should follow"),
        ("INCLUDE ItemID WHERE Items = 1", 1, 28, "a dot"),
        ("INCLUDE ItemID WHERE Items.A ~ 3", 1, 30, "expected IN, NOT, =, .* found ~"),
        ("INCLUDE ItemID WHERE (Items.A = 1)", 1, 22, r"expected dataset.field, found \("),
        ('INCLUDE ItemID WHERE Items.A IN ("x', 1, 34, "not closed"),
        ("INCLUDE ItemID WHERE Items.A IN\n  ('x')", 2, 4, "found '"),
        ('INCLUDE ItemID WHERE Items.A IN ("a" "b")', 1, 38, 'a comma, .* found "b"'),
        ("INCLUDE ItemID WHERE Items.A IN ()", 1, 34, "string"),
        ('INCLUDE ItemID WHERE Items.A IN "a"', 1, 33, r"expected .*\("),
        ("INCLUDE ItemID WHERE Items.A NOT NULL", 1, 34, "expected IN, found NULL"),
        ("INCLUDE ItemID WHERE Items.A = 12ab", 1, 32, "number"),
        ("INCLUDE ItemID WHERE Items.A = 1 Items.B = 2", 1, 34, "expected AND, OR, IF, |, the end, found Items"),
        ("INCLUDE ItemID WHERE Items.A = 3\n|\n", 3, 1, "INCLUDE or EXCLUDE should follow"),
        ("INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.A = 1 OR CurrentUser.B = 1", 1, 55, "found OR"),
        ("INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.A = 1 IF CurrentUser.B = 1", 1, 55, "found IF"),
        # rules that the grammar does not tell
        ("INCLUDE UserID WHERE Users.AGE < $AGE", 1, 9, "user segments"),
        ("INCLUDE ItemID WHERE Item.A = 1", 1, 22, "Items or Interactions, not by Item"),
        ("INCLUDE ActionID WHERE Items.A = 1", 1, 24, "Actions or Action_Interactions"),
        (
            'INCLUDE ItemID WHERE Items.A = 1\n  AND Interactions.EVENT_TYPE IN ("x")',
            2,
            7,
            r"chain expressions with \|",
        ),
        ("INCLUDE ItemID WHERE CurrentUser.AGE > 1", 1, 22, "IF at the end"),
        ("INCLUDE ItemID WHERE CurrentItem.PRICE > 1", 1, 22, "to the right"),
        ("INCLUDE ItemID WHERE Items.A = 1 IF Items.B = 1", 1, 37, "IF checks CurrentUser only"),
        ("INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.B = CurrentItem.B", 1, 53, "IF compares"),
        ("INCLUDE ItemID WHERE Items.A = Items.B", 1, 32, "right side"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_VALUE > 3", 1, 22, "EVENT_TYPE only"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE > 3", 1, 22, "cannot be used with EVENT_TYPE"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (3)", 1, 50, "is a string"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a") | INCLUDE ActionID WHERE Actions.B = 1', 1, 65, "same"),
        ("EXCLUDE ItemID WHERE Items.A IN (*)", 1, 34, "EVENT_TYPE only"),
        ("EXCLUDE ItemID WHERE Items.A NOT IN ($B)", 1, 38, "opposite of EXCLUDE"),
        ("EXCLUDE ItemID WHERE Items.A IN ($B, $C)", 1, 34, "stands alone"),
        ('EXCLUDE ItemID WHERE Items.A > "cheap"', 1, 32, "> compares numbers"),
        ("INCLUDE ItemID WHERE " + " AND ".join(f"Items.F{n} = {n}" for n in range(11)), 1, 192, "10 distinct fields"),
    ],
)
def test_places_of_errors(expression: str, line: int, column: int, reason: str) -> None:
    """A broken expression is refused where it breaks, with a reason."""
    with pytest.raises(FilterError, match=reason) as caught:
        parse(expression)
    assert (caught.value.line, caught.value.column) == (line, column)


texts = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), max_size=6).filter(lambda t: t != "*")
numbers = st.one_of(st.integers().map(str), st.decimals(-9, 9, places=3).map(str))
text_values = texts.map(lambda text: Text(text, NOWHERE))
number_values = numbers.map(lambda text: Number(text, NOWHERE))
parameters = st.from_regex(r"[A-Za-z0-9_]{1,6}", fullmatch=True).map(lambda name: Parameter(name, NOWHERE))


def conditions(dataset: str) -> st.SearchStrategy[Condition]:
    """Conditions on a few fields of a dataset, so that the limit of distinct fields holds."""
    fields = st.sampled_from(["A", "B_2", "AND"]).map(lambda name: Field(dataset, name, NOWHERE))
    literals = st.lists(text_values | number_values, min_size=1, max_size=3).map(tuple)
    one = st.one_of(text_values, number_values, parameters).map(lambda value: (value,))
    ordered = st.one_of(number_values, parameters).map(lambda value: (value,))
    return st.one_of(
        st.builds(Condition, fields, st.just("IN"), st.one_of(literals, parameters.map(lambda value: (value,)))),
        st.builds(Condition, fields, st.just("NOT IN"), literals),
        st.builds(Condition, fields, st.sampled_from(["=", "!="]), one),
        st.builds(Condition, fields, st.sampled_from(["<", "<=", ">", ">="]), ordered),
        st.builds(Condition, fields, st.sampled_from(["IS NULL", "IS NOT NULL"]), st.just(())),
    )


def some(strategy: st.SearchStrategy[Condition], at_least: int = 1) -> st.SearchStrategy[tuple[Condition, ...]]:
    """Up to three conditions."""
    return st.lists(strategy, min_size=at_least, max_size=3).map(tuple)


expressions = st.builds(
    Expression,
    st.sampled_from(["INCLUDE", "EXCLUDE"]),
    st.just("ItemID"),
    st.lists(some(conditions("Items")), min_size=1, max_size=3).map(tuple),
    some(conditions("CurrentUser"), at_least=0),
    st.just(NOWHERE),
)
filters = st.lists(expressions, min_size=1, max_size=3).map(lambda chain: Filter(tuple(chain)))


@repeatable
@given(filters)
def test_parsing_undoes_printing(written: Filter) -> None:
    """Any filter, printed and parsed, is the same filter."""
    assert parse(str(written)) == written


@repeatable
@given(st.text(alphabet=st.sampled_from('INCLUDEXMTHRWS itemsA.=<>!()|,*$"1-0\n'), max_size=60))
def test_any_text_is_parsed_or_refused_within_it(text: str) -> None:
    """Whatever is typed, the answer is a filter or an error that points into the text or right behind it."""
    line, column = place_of_error(text)
    lines = text.split("\n")
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1]) + 1


def place_of_error(text: str) -> tuple[int, int]:
    """Where parsing fails; the beginning if it does not."""
    try:
        parse(text)
    except FilterError as error:
        return error.line, error.column
    return 1, 1


cells = st.sampled_from(["", "0", "1", "2.5", "-3", "x", "y", "x|y", "1|x", "nan"])
rows = st.lists(st.fixed_dictionaries({"A": cells, "B_2": cells}), min_size=1, max_size=8)
literal_conditions = conditions("Items").filter(lambda condition: condition.parameter is None)

# Each operator with the one that says the opposite about a cell that is not null.
OPPOSITES = {"IN": "NOT IN", "=": "!=", "<": ">=", ">": "<=", "IS NULL": "IS NOT NULL"}


def flags_of(expression: str, table: list[dict[str, str]]) -> list[bool]:
    """What the expression keeps of the rows of a table, whose ids are their numbers."""
    return parse(expression).keep(
        [str(number) for number in range(len(table))],
        item_properties=lambda item: table[int(item)],
        interactions=list,
        user={},
        values={},
    )


@repeatable
@given(literal_conditions, rows)
def test_include_and_exclude_of_a_condition_share_the_items(condition: Condition, table: list[dict[str, str]]) -> None:
    """Every item is kept by the INCLUDE or by the EXCLUDE of the same condition, and never by both."""
    included = flags_of(f"INCLUDE ItemID WHERE {condition}", table)
    assert flags_of(f"EXCLUDE ItemID WHERE {condition}", table) == [not flag for flag in included]


@repeatable
@given(literal_conditions, rows)
def test_opposite_operators_share_the_items_that_are_not_null(
    condition: Condition, table: list[dict[str, str]]
) -> None:
    """An operator and its opposite never keep the same item, together keep every cell they can read, and no null."""
    operator = condition.operator
    negated = {**OPPOSITES, **{value: key for key, value in OPPOSITES.items()}}[operator]
    one = flags_of(f"INCLUDE ItemID WHERE {condition}", table)
    other = flags_of(f"INCLUDE ItemID WHERE {Condition(condition.field, negated, condition.values)}", table)
    for row, flag, other_flag in zip(table, one, other, strict=True):
        cell = row.get(condition.field.name, "")
        readable = cell in ("0", "1", "2.5", "-3") if operator in ("<", "<=", ">", ">=") else bool(cell)
        assert flag + other_flag == (1 if readable or operator.startswith("IS") else 0)


@repeatable
@given(literal_conditions, literal_conditions, rows)
def test_de_morgan(first: Condition, second: Condition, table: list[dict[str, str]]) -> None:
    """Excluding one or the other is keeping what both excludes keep; excluding both together is its dual."""
    without_first = flags_of(f"EXCLUDE ItemID WHERE {first}", table)
    without_second = flags_of(f"EXCLUDE ItemID WHERE {second}", table)
    pairs = list(zip(without_first, without_second, strict=True))
    assert flags_of(f"EXCLUDE ItemID WHERE {first} OR {second}", table) == [a and b for a, b in pairs]
    assert flags_of(f"EXCLUDE ItemID WHERE {first} AND {second}", table) == [a or b for a, b in pairs]
    chain = f"EXCLUDE ItemID WHERE {first} | EXCLUDE ItemID WHERE {second}"
    assert flags_of(chain, table) == [a and b for a, b in pairs]
