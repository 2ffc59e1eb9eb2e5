"""One chassis has one Chassis object: by its serial number, for it may be reached at many addresses."""

from collections.abc import Iterable

from rackwright.core.claims import Claim, ClaimLostError, settle
from rackwright.core.resource import Ref, Resource
from rackwright.core.step import Contest
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.unknown import Unknown


class Serials:
    """Which serial number each Chassis was seen to have; what its status says counts too."""

    def __init__(self) -> None:
        self._seen: dict[Ref, str] = {}

    def forget(self, ref: Ref) -> None:
        """The Chassis is gone."""
        self._seen.pop(ref, None)

    def check(self, chassis: Resource, observed: ChassisState, everyone: Iterable[Resource]) -> tuple[Contest, ...]:
        """Who else wants this chassis, which is ours. ClaimLostError where it is not; then nothing may be done to it."""
        if isinstance(observed.identity, Unknown):
            return ()
        serial = observed.identity.serial
        self._seen[chassis.ref] = serial
        claims = settle(
            Claim(_thing(serial), item.ref, item.created, holds=_recorded(item) == serial)
            for item in everyone
            if not item.gone and serial in (self._seen.get(item.ref), _recorded(item))
        )
        rival = claims.lost(chassis.ref, _thing(serial))
        if rival is not None:
            raise ClaimLostError(
                f"spec.hardware leads to the chassis with serial {serial}, which {rival.beside(chassis.ref)} has already. "
                "Correct the address, or delete one of the two."
            )
        return tuple(Contest(*contest) for contest in claims.contests)


def _thing(serial: str) -> str:
    return f"the chassis with serial {serial}"


def _recorded(chassis: Resource) -> str | None:
    """The serial in the status: only who had the chassis wrote it down."""
    serial = (chassis.status.get("identity") or {}).get("serial")
    return serial if isinstance(serial, str) else None
