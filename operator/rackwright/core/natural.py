"""Sorting names as people do: `2/0` before `11/0`, `rootvol-2` before `rootvol-10`."""

import re

_DIGITS = re.compile(r"(\d+)")


def natural(text: object) -> tuple[tuple[int, int, str], ...]:
    """A sort key: runs of digits compare as numbers, everything else as text."""
    pieces = _DIGITS.split(str(text))
    return tuple((1, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in pieces if piece)
