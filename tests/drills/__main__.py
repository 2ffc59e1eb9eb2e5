"""`python -m tests.drills`: runs the drills, all or one group, on two workers; its exit status is that of the tests."""

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# Two workers that take from one another: storms are long and sweeps are many.
OPTIONS = ("-n", "2", "--dist", "worksteal", "-q", "-p", "tests.drills.report")


def groups() -> list[str]:
    """The folders that have drills."""
    return sorted(path.name for path in HERE.iterdir() if any(path.glob("test_*.py")))


def command(arguments: list[str]) -> list[str]:
    """The pytest to run for these arguments; SystemExit with a sentence where they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description="Runs the drills.")
    parser.add_argument("--only", metavar="GROUP", help=f"one of: {', '.join(groups())}")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write what became of each drill there, as JSON")
    chosen, rest = parser.parse_known_args(arguments)
    if chosen.only is not None and chosen.only not in groups():
        sys.exit(f"There is no group of drills {chosen.only!r}. Give ONLY one of: {', '.join(groups())}.")
    folders = [str((HERE / group).relative_to(ROOT)) for group in ([chosen.only] if chosen.only else groups())]
    report = ["--drills-report", str(chosen.report.resolve())] if chosen.report else []
    return [sys.executable, "-m", "pytest", *OPTIONS, *report, *folders, *rest]


if __name__ == "__main__":
    os.chdir(ROOT)
    wanted = command(sys.argv[1:])
    os.execv(wanted[0], wanted)  # signals go straight to it
