"""What can be wrong with a filter.

Exception
  FilterError         the expression: it cannot be parsed, or breaks a documented rule; says where
  FilterValueError    a call that applies it: a parameter without a value, or a value that cannot be read
"""


class FilterError(Exception):
    """A broken expression: `message` gives the reason; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.message = message
        self.line = line
        self.column = column


class FilterValueError(Exception):
    """A call does not give what the filter needs; `message` names the parameter and never repeats its value."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
