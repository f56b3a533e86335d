"""Values that are cheap to make: `dataclass` for what every request and every call makes anew.

To the type checker it is the standard one, so it lets nobody change a frozen value. Python itself guards one by setting
each member through `object.__setattr__` when it is made, which takes three times as long as making it unguarded; a cold
ranking of 100 makes 25 of them (6 % of its instructions, and 4 % of a warm one's). So at run time the guard is left
out; equality and hash are those of a frozen dataclass.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - it is told on
else:
    from dataclasses import dataclass as _dataclass

    def dataclass(*, frozen=False, eq=True, **others):
        """The standard one, but that what is frozen is not guarded."""
        return _dataclass(eq=eq, unsafe_hash=frozen and eq, **others)
