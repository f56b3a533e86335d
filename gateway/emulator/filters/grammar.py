"""The grammar of filter expressions, and its errors in words.

Keywords, datasets and column names may come in any case: the service's own examples write `Interactions.EVENT_TYPE`
and `INTERACTIONS.event_type`, `ItemID` and `itemId`. Strings and parameters are case-sensitive. IS NULL is not in the
public documentation.
"""

from typing import Any, Final

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from gateway.emulator.filters.errors import FilterError
from gateway.emulator.filters.syntax import (
    ANY_TYPE,
    Condition,
    Expression,
    Field,
    Number,
    Parameter,
    Place,
    Text,
    Value,
)

EXPRESSION_CHARACTERS_MAX: Final = 2500  # as CreateFilter takes it

GRAMMAR: Final = r"""
start: expression (PIPE expression)*
expression: VERB SUBJECT WHERE groups (IF group)?
groups: group (OR group)*
group: condition (AND condition)*
condition: field IN values -> contained
    | field NOT IN values -> not_contained
    | field COMPARISON value -> compared
    | field COMPARISON OPEN value CLOSE -> compared
    | field IS NULL -> null
    | field IS NOT NULL -> not_null
values: OPEN value (COMMA value)* CLOSE | field
value: TEXT | NUMBER | PARAMETER | STAR | field
field: NAME DOT NAME

VERB: /(INCLUDE|EXCLUDE)(?![A-Z0-9_])/i
SUBJECT: /(ItemID|ActionID|UserID)(?![A-Z0-9_])/i
WHERE: /WHERE(?![A-Z0-9_])/i
IF: /IF(?![A-Z0-9_])/i
AND: /AND(?![A-Z0-9_])/i
OR: /OR(?![A-Z0-9_])/i
IN: /IN(?![A-Z0-9_])/i
NOT: /NOT(?![A-Z0-9_])/i
IS: /IS(?![A-Z0-9_])/i
NULL: /NULL(?![A-Z0-9_])/i
COMPARISON: "=" | "!=" | "<=" | "<" | ">=" | ">"
NAME: /[A-Z_][A-Z0-9_]*/i
PARAMETER: /\$[A-Z0-9_]{1,50}/i
TEXT: /"[^"]*"/
NUMBER: /-?[0-9]+(\.[0-9]+)?(?![A-Z0-9_.])/i
PIPE: "|"
OPEN: "("
CLOSE: ")"
COMMA: ","
DOT: "."
STAR: "*"
%ignore /\s+/
"""

# How a missing token is called in a message, in the order in which several are listed.
WORDS: Final[dict[str, str]] = {
    "VERB": "INCLUDE or EXCLUDE",
    "SUBJECT": "ItemID or ActionID",
    "WHERE": "WHERE",
    "NAME": "dataset.field",
    "DOT": "a dot and a field",
    "IN": "IN",
    "NOT": "NOT",
    "COMPARISON": "=, !=, <, <=, > or >=",
    "IS": "IS NULL",
    "NULL": "NULL",
    "OPEN": "(",
    "TEXT": 'a "string"',
    "NUMBER": "a number",
    "PARAMETER": "a $PARAMETER",
    "STAR": "*",
    "COMMA": "a comma",
    "CLOSE": ")",
    "AND": "AND",
    "OR": "OR",
    "IF": "IF",
    "PIPE": "|",
    "$END": "the end",
}

# The spelling of the service's schemas; `Action` is how one of its documented examples writes `Actions`.
DATASETS: Final = {
    name.upper(): name
    for name in ("Items", "Interactions", "Actions", "Action_Interactions", "CurrentUser", "CurrentItem")
} | {"ACTION": "Actions"}
SUBJECTS: Final = {name.upper(): name for name in ("ItemID", "ActionID", "UserID")}


@v_args(inline=True)
class _Builder(Transformer[Token, tuple[Expression, ...]]):
    """Turns each rule of the grammar into its part; tokens that only separate are left out."""

    def start(self, *parts: Any) -> tuple[Expression, ...]:
        return tuple(part for part in parts if isinstance(part, Expression))

    def expression(self, verb: Token, subject: Token, _where: Token, groups: Any, *when: Any) -> Expression:
        return Expression(
            "INCLUDE" if verb.upper() == "INCLUDE" else "EXCLUDE",
            SUBJECTS[subject.upper()],
            groups,
            when[1] if when else (),
            _place(subject),
        )

    def groups(self, *parts: Any) -> tuple[Any, ...]:
        return tuple(part for part in parts if not isinstance(part, Token))

    def group(self, *parts: Any) -> tuple[Condition, ...]:
        return tuple(part for part in parts if isinstance(part, Condition))

    def contained(self, field: Field, _in: Token, values: tuple[Value, ...]) -> Condition:
        return Condition(field, "IN", values)

    def not_contained(self, field: Field, _not: Token, _in: Token, values: tuple[Value, ...]) -> Condition:
        return Condition(field, "NOT IN", values)

    def compared(self, field: Field, comparison: Token, *parts: Any) -> Condition:
        return Condition(field, str(comparison), tuple(part for part in parts if not isinstance(part, Token)))

    def null(self, field: Field, *_: Token) -> Condition:
        return Condition(field, "IS NULL", ())

    def not_null(self, field: Field, *_: Token) -> Condition:
        return Condition(field, "IS NOT NULL", ())

    def values(self, *parts: Any) -> tuple[Value, ...]:
        return tuple(part for part in parts if not isinstance(part, Token))

    def value(self, part: Token | Field) -> Value:
        if isinstance(part, Field):
            return part
        place = _place(part)
        match part.type:
            case "TEXT":
                return Text(part[1:-1], place)
            case "NUMBER":
                return Number(str(part), place)
            case "PARAMETER":
                return Parameter(part[1:], place)
            case _:
                return Text(ANY_TYPE, place)

    def field(self, dataset: Token, _dot: Token, name: Token) -> Field:
        return Field(DATASETS.get(dataset.upper(), str(dataset)), name.upper(), _place(dataset))


def _place(token: Token) -> Place:
    return Place(token.line or 1, token.column or 1)


_PARSER: Final = Lark(GRAMMAR, parser="lalr", transformer=_Builder())


def parse_chain(text: str) -> tuple[Expression, ...]:
    """The expressions of a chain, in their order.

    Raises:
        FilterError: the text is not in the language.
    """
    if not 1 <= len(text) <= EXPRESSION_CHARACTERS_MAX:
        raise FilterError(f"an expression has between 1 and {EXPRESSION_CHARACTERS_MAX} characters", 1, 1)
    try:
        chain: Any = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    result: tuple[Expression, ...] = chain
    return result


def _explained(error: UnexpectedInput, text: str) -> FilterError:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        lines = text.split("\n")
        return FilterError(f"ends where {_expected(text)} should follow", len(lines), len(lines[-1]) + 1)
    at: Any = error.pos_in_stream
    if isinstance(error, UnexpectedToken):
        found = str(error.token)
    else:
        found = "a string that is not closed" if text[at] == '"' else text[at]
    return FilterError(f"expected {_expected(text[:at])}, found {found}", error.line, error.column)


def _expected(before: str) -> str:
    """What may follow a text that is the beginning of an expression; the error itself lists more than that."""
    state: Any = _PARSER.parse_interactive(before)
    state.exhaust_lexer()
    accepted = state.accepts()
    return ", ".join(word for name, word in WORDS.items() if name in accepted)
