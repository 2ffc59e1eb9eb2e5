"""Sorting names as people do: `2/0` before `11/0`, `rootvol-2` before `rootvol-10`."""

import re
from functools import lru_cache

_DIGITS = re.compile(r"(\d+)")


def natural(text: object) -> tuple[tuple[int, int, str], ...]:
    """A sort key: runs of digits compare as numbers, everything else as text."""
    return _key(str(text))


@lru_cache(maxsize=16384)  # every look at a rack sorts the same names again
def _key(text: str) -> tuple[tuple[int, int, str], ...]:
    pieces = _DIGITS.split(text)
    return tuple((1, int(piece), "") if piece.isdecimal() else (0, 0, piece) for piece in pieces if piece)
