"""More than 100 000 mutated manifests, of which `make test` tries a share: memory and event loop stay as they were.

A failure names its chunk; `in_chunks(..., CHUNK, MANY)` gives the same manifests again.
"""

import asyncio
import gc
import os
from collections.abc import Callable
from pathlib import Path

from rackwright.core import metrics
from tests.unit.input.plant import built
from tests.unit.input.trials import Trials, check_alone, example_specs, in_chunks, rack_specs

ALONE, ALONE_CHUNKS = 99_000, 44
WHOLE, WHOLE_CHUNKS = 3_000, 12
GROWTH_BYTES = 24 * 1024 * 1024
LAG_SECONDS = 2.0


def _resident() -> int:
    """Bytes of memory that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _flat(one: Callable[[int], None], chunks: int) -> None:
    """All chunks, and no more memory after the last quarter than after the first."""
    held: list[int] = []
    for chunk in range(1, chunks + 1):
        try:
            one(chunk)
        except BaseException as error:
            error.add_note(f"chunk {chunk}")
            raise
        held.append(_resident())
    assert held[-1] - held[chunks // 4 - 1] < GROWTH_BYTES, held


def test_most_of_them_through_the_checks() -> None:
    _flat(lambda chunk: in_chunks(check_alone, example_specs(), chunk, ALONE // ALONE_CHUNKS), ALONE_CHUNKS)


def test_three_thousand_through_the_whole_operator_that_runs() -> None:
    """On a clock as it is, with the engine's own workers: its gauge tells how late the event loop was."""
    snapshot = built()
    with asyncio.Runner() as runner:
        trials = Trials(snapshot, runner)
        worst = 0.0

        def one(chunk: int) -> None:
            nonlocal worst
            in_chunks(trials.one, rack_specs(snapshot), chunk, WHOLE // WHOLE_CHUNKS)
            worst = max(worst, runner.run(_lag(trials)))

        _flat(one, WHOLE_CHUNKS)
        assert worst < LAG_SECONDS
        assert trials.valid > WHOLE // 50


async def _lag(trials: Trials) -> float:
    """What the engine measures while mistakes go on coming."""
    running = asyncio.create_task(trials.plant.engine.run())
    name, spec = "StoragePool/root", {"backend": {"type": 7}}
    deadline = asyncio.get_running_loop().time() + 1.5
    while asyncio.get_running_loop().time() < deadline:
        await trials.try_out(name, spec)
    running.cancel()
    await asyncio.wait({running})
    return float(metrics.LOOP_LAG._value.get())
