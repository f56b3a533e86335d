"""Filters in the expression language of the service: `INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)`.

syntax        the parts of an expression, and their canonical spelling
grammar       text -> parts, and errors of the text in words
checks        the documented rules that a grammar does not tell
values        what a call gives for the parameters
conditions    what a condition says about one cell
filter        the parsed filter, and what it keeps of a list
"""

from gateway.emulator.filters.errors import FilterError, FilterValueError
from gateway.emulator.filters.filter import Filter, parse

__all__ = ["Filter", "FilterError", "FilterValueError", "parse"]
