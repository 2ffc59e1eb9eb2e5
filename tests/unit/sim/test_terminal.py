"""The line discipline: what is typed, what is seen, and what line comes out. And the pager."""

import pytest

from rackwright_sim.pager import page
from rackwright_sim.terminal import Interrupted, Terminal


class Screen:
    """A terminal of one line: interprets what is written, so that a test sees what a person would."""

    def __init__(self) -> None:
        self.written = ""

    def write(self, text: str) -> None:
        self.written += text

    @property
    def line(self) -> str:
        cells: list[str] = []
        at = 0
        for char in self.written.rpartition("\n")[2]:
            if char == "\b":
                at -= 1
            elif char == "\r":
                at = 0
            else:
                cells[at : at + 1] = [char]
                at += 1
        return "".join(cells).rstrip()


async def typed(keys: str) -> tuple[str | None, str]:
    """The line that comes of these keys, and what the screen shows just before enter."""
    screen = Screen()
    terminal = Terminal(screen.write)
    terminal.feed(keys)
    terminal.feed("\n")
    line = await terminal.read_line()
    screen.written = screen.written.removesuffix("\r\n")
    return line, screen.line


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("show vlan", "show vlan"),
        ("shot\x7fw vlan", "show vlan"),
        ("\x7f\x08show", "show"),
        ("how\x01s", "show"),
        ("vlan\x01show \x05 x", "show vlan x"),
        ("abc\x1b[D\x1b[DX", "aXbc"),
        ("abc\x1b[D\x1b[C\x1b[CX", "abcX"),
        ("abc\x1bOHX", "Xabc"),
        ("abc\x01\x1b[3~", "bc"),
        ("abc\x01\x04", "bc"),
        ("show vlan all\x17\x17x", "show x"),
        ("show vlan\x15x", "x"),
        ("show vlan\x01\x0b", ""),
        ("a\x1bZb\x1b[99Zc\tö", "abcö"),
    ],
)
async def test_editing(keys: str, line: str) -> None:
    got, screen = await typed(keys)
    assert got == line
    assert screen == line


async def test_lines_sent_ahead_wait_unechoed() -> None:
    screen = Screen()
    terminal = Terminal(screen.write)
    terminal.feed("one\r\ntwo\nthree\r")
    assert await terminal.read_line() == "one"
    assert screen.written == "one\r\n"
    assert await terminal.read_line() == "two"
    assert await terminal.read_line() == "three"
    assert screen.written == "one\r\ntwo\r\nthree\r\n"


async def test_history() -> None:
    terminal = Terminal(Screen().write)
    terminal.feed("one\ntwo\nyes\n\x1b[A\x1b[A\n\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B\x1b[Bx\n")
    assert [await terminal.read_line() for _ in range(2)] == ["one", "two"]
    assert await terminal.read_line(remember=False) == "yes"
    assert await terminal.read_line() == "one"
    assert await terminal.read_line() == "x"


async def test_ctrl_c_gives_up_the_line_and_ctrl_d_ends_only_an_empty_one() -> None:
    screen = Screen()
    terminal = Terminal(screen.write)
    terminal.feed("abc\x03")
    with pytest.raises(Interrupted):
        await terminal.read_line()
    terminal.feed("a\x04\x7f\x04")
    assert await terminal.read_line() is None


async def test_ctrl_z_ends_configuration_and_the_end_of_input_ends_the_session() -> None:
    terminal = Terminal(Screen().write)
    terminal.feed("conf\x1a")
    assert await terminal.read_line() == "end"
    terminal.feed("half a line\x1b[")
    terminal.end()
    assert await terminal.read_line() is None


async def test_the_pager_shows_screen_by_screen() -> None:
    screen = Screen()
    text = "".join(f"{n}\n" for n in range(10))

    async def read_key() -> str | None:
        seen.append(screen.written)
        return keys.pop(0)

    seen: list[str] = []
    keys: list[str | None] = [" ", "\r", "q"]
    await page(text, 4, screen.write, read_key)
    shown = [part for part in screen.written.replace("\r", "").split("\n") if part.strip(" ")]
    assert [line.replace("--More--", "").strip() for line in shown] == [*"0123456", ""]
    assert len(seen) == 3
    await page("only\n", 4, screen.write, read_key)
    assert screen.written.endswith("only\r\n")
    assert keys == []
