"""`make bench`: what batching and looking once a chassis are worth, in CPU, wall time and round trips."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.rack import built_rack
from rackwright_drivers.contract.chassis import Action, ChassisDriver
from rackwright_drivers.contract.network import Nic, PortVlans, SetPort
from rackwright_sim.server import SimServer

ROUNDS = 5
SERVERS = tuple(f"{card}/0" for card in range(35, 64))  # compute nodes: their NIC 7 is isolated


@dataclass(frozen=True)
class Cost:
    """What something cost, each time it was done."""

    wall_ms: float
    cpu_ms: float
    round_trips: float

    def line(self, name: str, base: "Cost") -> str:
        """One row, with its ratio to a base."""
        return (
            f"  {name:<34} {self.wall_ms:>9.1f} ms {self.cpu_ms:>9.1f} ms CPU {self.round_trips:>8.1f} round trips"
            f"   x{self.wall_ms / base.wall_ms:.1f} wall"
        )


async def measure(chassis: SimServer, work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> Cost:
    """Do something several times. The simulator is in this process: its CPU is counted too, on every side alike."""
    trips, cpu, wall = chassis.counters.round_trips, time.process_time(), time.perf_counter()
    for _ in range(rounds):
        await work()
    return Cost(
        (time.perf_counter() - wall) * 1000 / rounds,
        (time.process_time() - cpu) * 1000 / rounds,
        (chassis.counters.round_trips - trips) / rounds,
    )


async def move(driver: ChassisDriver, batch: int) -> None:
    """Move NIC 7 of many servers into VLAN 100 and back, so many actions a round trip."""
    out, home = PortVlans(None), PortVlans(100)
    for before, after in ((out, home), (home, out)):
        actions: list[Action] = [SetPort(Nic(server, 7), before, after) for server in SERVERS]
        for start in range(0, len(actions), batch):
            results = await driver.execute(actions[start : start + batch])
            assert all(result.error is None for result in results), results


async def main() -> None:
    """Measure and print."""
    async with built_rack() as (run, chassis):
        key = run.chassis()[0]
        look = await run.assembly.chassis.look(key)
        assert look.outcome.decision is not None, look.outcome.error
        assert not look.outcome.decision.stages, "the rack is not built"
        objects = len(look.inputs.resources)
        driver = run.assembly.endpoints.known()[0].driver

        async def one_look_each() -> None:
            for _ in range(objects):
                await run.assembly.chassis.look(key)

        once = await measure(chassis, lambda: run.assembly.chassis.reconcile(key))
        each = await measure(chassis, one_look_each, rounds=1)
        print(f"A pass over a built rack of {objects} objects, at rest")
        print(once.line("one look serves them all", once))
        print(each.line("a look for each object", once))
        batched = await measure(chassis, lambda: move(driver, driver.max_batch))
        single = await measure(chassis, lambda: move(driver, 1))
        print(f"\n{len(SERVERS) * 2} NICs moved to another VLAN")
        print(batched.line(f"batches of up to {driver.max_batch}", batched))
        print(single.line("one action a round trip", batched))


if __name__ == "__main__":
    asyncio.run(main())
