"""How a sentence shows what a person wrote: on one line, bounded however large it is, and as JSON rather than Python."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

VALUE_LENGTH = 80
NAME_LENGTH = 63
TEXT_LENGTH = 960  # below what an Event takes (1024), with room for whoever puts a few words around it
SHOWN = 5  # of several sentences
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def shown(value: object, most: int = VALUE_LENGTH) -> str:
    """A value as a message shows it: as JSON, cut where it is long, and with nothing that a terminal would obey."""
    text = ""
    for piece in _pieces(value, most):  # no further than is shown: a value may be megabytes, or without a bottom
        text += piece
        if len(text) > most:
            end = '"' if isinstance(value, str) else "}" if isinstance(value, Mapping) else ""
            return f"{text[: most - 4]}...{']' if isinstance(value, list | tuple) else end}"
    return text


def _pieces(value: object, most: int) -> Iterator[str]:
    if value is None or isinstance(value, bool):
        yield json.dumps(value)
    elif isinstance(value, int) and value.bit_length() > 256:
        yield f"a number of {value.bit_length()} bits"  # Python refuses to print one of many digits
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, Mapping):
        yield "{"
        for number, (key, inner) in enumerate(value.items()):
            yield f"{', ' if number else ''}{_quoted(str(key), most)}: "
            yield from _pieces(inner, most)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for number, inner in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(inner, most)
        yield "]"
    else:
        yield _quoted(str(value), most)


def _quoted(text: str, most: int) -> str:
    return printable(json.dumps(text[: most + 1], ensure_ascii=False))


def printable(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey."""
    return "".join(item if item.isprintable() else _escaped(item) for item in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def field_path(root: str, parts: Iterable[str | int]) -> str:
    """Where something is, as `spec.vlans[0].id`; a name that nobody would give a field is quoted."""
    path = root
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _PLAIN.fullmatch(part) and len(part) <= NAME_LENGTH:
            path += f".{part}" if path else part
        else:
            path += f"[{shown(part, NAME_LENGTH)}]"
    return path


def joined(sentences: Sequence[str]) -> str:
    """The first sentences as one text that a condition and an Event take, and how many more there are."""
    text, count = sentences[0] if sentences else "", 1
    for sentence in sentences[1:SHOWN]:
        if len(text) + len(sentence) >= TEXT_LENGTH:
            break
        text, count = f"{text} {sentence}", count + 1
    return and_more(text, len(sentences) - count)


def and_more(text: str, count: int) -> str:
    """A text, and that so many more could be said."""
    return f"{text} And {count} more." if count > 0 else text


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first of many names, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
