"""Replays storms by their seeds: `python -m tests.drills.chaos.seeds SEED...` says the schedule and what came of it."""

import sys
import time

from tests.chaos import storm


def main() -> int:
    """0 where all came right."""
    failed = 0
    for seed in map(int, sys.argv[1:]):
        planned = storm.schedule(seed)
        print(planned, flush=True)
        began = time.monotonic()
        try:
            here = storm.ride(planned)
        except AssertionError as error:
            failed += 1
            print(f"seed {seed} FAILED:\n{error}")
        else:
            print("\n".join(here.plot))
            print(f"seed {seed}: all came right in {time.monotonic() - began:.1f} seconds, {len(here.sim.log)} lines")
    return failed


if __name__ == "__main__":
    sys.exit(main())
