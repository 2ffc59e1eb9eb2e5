"""All tables of changes by kind: every field of the models is in them, and `docs/api.md` says in words what they prove."""

from collections.abc import Mapping, Sequence

from tests.unit.core.changes.backend_cases import ROWS
from tests.unit.core.changes.case import Case
from tests.unit.core.changes.chassis_cases import FREE_SLOTS, GENERAL, NETWORK, STORAGE_SLOTS
from tests.unit.core.changes.host_cases import host_cases, rows
from tests.unit.core.changes.node_cases import CHASSIS_SIDE
from tests.unit.core.changes.node_set_cases import SETS_AND_MEMBERS, TEMPLATES
from tests.unit.core.changes.pool_cases import ASSIGNMENTS, BACKEND, GROWING
from tests.unit.core.changes.reach_cases import REACHING, Reach

OF_A_CHASSIS = (NETWORK, STORAGE_SLOTS, GENERAL, SETS_AND_MEMBERS, TEMPLATES)
OF_HOSTS = host_cases("nodeSets[compute].template.")
OF_A_POOL = (BACKEND, ASSIGNMENTS)
OF_OTHER_BACKENDS = rows("backend.", *ROWS)
OF_A_NODE = (CHASSIS_SIDE, host_cases(""))
TABLES: dict[str, tuple[Mapping[str, Sequence[Case | Reach]], ...]] = {
    "Chassis": (*OF_A_CHASSIS, FREE_SLOTS, OF_HOSTS, REACHING),
    "StoragePool": (*OF_A_POOL, GROWING, OF_OTHER_BACKENDS),
    "ComputeNode": OF_A_NODE,
}
