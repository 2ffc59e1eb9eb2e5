"""The pager of a login with a terminal: what does not fit stops at `--More--`, as it does without `| nomore`."""

from collections.abc import Awaitable, Callable

MORE = "--More--"
_QUIT = frozenset({"q", "Q", "\x03", None})


async def page(
    text: str, height: int, write: Callable[[str], None], read_key: Callable[[], Awaitable[str | None]]
) -> None:
    """Write text in screens of `height` lines: blank for the next screen, enter for the next line, q to stop.

    A height of 0 is a terminal without end.
    """
    lines = text.splitlines(keepends=True)
    room = height - 1 if height > 1 else len(lines)
    while lines:
        write("".join(lines[:room]).replace("\n", "\r\n"))
        lines = lines[room:]
        if not lines:
            return
        write(MORE)
        key = await read_key()
        write("\r" + " " * len(MORE) + "\r")
        if key in _QUIT:
            return
        room = 1 if key in ("\r", "\n") else height - 1
