"""Puts the parts together, the same for a cluster and for a folder of manifests."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rackwright.core.chassis.inputs import Specs
from rackwright.core.chassis.reconciler import ChassisReconciler, Watcher
from rackwright.core.clock import now as wall_clock
from rackwright.core.endpoints import Endpoints, installed_drivers
from rackwright.core.engine import Engine
from rackwright.core.journal import Journal
from rackwright.core.leadership import Leadership
from rackwright.core.others import NotYetReconciler
from rackwright.core.store import Store
from rackwright_drivers.contract.chassis import Connect


@dataclass(frozen=True)
class Assembly:
    """What a process runs."""

    engine: Engine
    chassis: ChassisReconciler
    endpoints: Endpoints


def assemble(
    store: Store,
    journal: Journal,
    leadership: Leadership,
    *,
    drivers: Mapping[str, Connect] | None = None,
    now: Callable[[], str] = wall_clock,
    watcher: Watcher | None = None,
    jitter: Callable[[], float] = random.random,
) -> Assembly:
    """Engine and reconcilers over a store. Call it inside a running event loop, whose clock all waiting goes by."""
    specs = Specs()
    endpoints = Endpoints(installed_drivers() if drivers is None else drivers, journal, leadership)
    clock = asyncio.get_running_loop().time
    chassis = ChassisReconciler(store, endpoints, specs, now, clock, watcher)
    others = NotYetReconciler(store, specs, now)
    engine = Engine(store, chassis, others, jitter=jitter, forget=specs.forget)
    return Assembly(engine, chassis, endpoints)
