"""What is told: times, output of commands with its middle left out, and a listener that prints."""

import io
from itertools import count

from rich.console import Console

from rackwright.cli.demo.tell import Line, Teller, printing


def test_lines_carry_the_time_since_the_beginning() -> None:
    told: list[Line] = []
    ticks = count(100.0)
    teller = Teller(told.append, clock=lambda: next(ticks))
    teller.say("one")
    teller.command("rackwright get")
    assert [(line.seconds, line.text) for line in told] == [(1.0, "one"), (2.0, "$ rackwright get")]
    assert list(teller.lines) == told


def test_long_output_keeps_its_beginning_and_its_end() -> None:
    told: list[str] = []
    teller = Teller(lambda line: told.append(line.text.strip()))
    teller.output("\n".join(f"line {n}" for n in range(10)) + "\n\n", most=4)
    assert told == ["line 0", "line 1", "… 6 more lines", "line 8", "line 9"]
    told.clear()
    teller.output("one\n\ntwo\n", most=2)
    assert told == ["one", "two"]


def test_printing_takes_text_as_it_is() -> None:
    out = io.StringIO()
    console = Console(file=out, width=40, color_system=None)
    printing(console)(Line(1.25, "[bold]no markup[/bold], " + "and never broken " * 4))
    assert out.getvalue() == f"   1.2  [bold]no markup[/bold], {'and never broken ' * 4}\n"
