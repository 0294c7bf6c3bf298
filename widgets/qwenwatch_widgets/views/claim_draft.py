"""The claim that a row of a table stands for.

A draft holds keys of a `[[claim]]` table of docs/claims.md with their values as text; those of its
`scope` begin with "scope.". Its name, its sentence and who said it are added when it is remembered:
rows are many, and few of them are.
"""

from collections.abc import Mapping

Draft = Mapping[str, str]
"""The claim."""

Claimable = Draft | str
"""A draft, or why there is none in a sentence; "" where a table has no figures at all."""

NOBODY = "This row is nobody's: there is nothing to claim"
