"""What follows from a change of the fields that say how a chassis is reached: a new session with what they say now."""

from dataclasses import dataclass
from typing import Any

from tests.unit.core.changes.fields import Edit, drop, put

HARDWARE: dict[str, dict[str, Any]] = {
    "SeaMicro": {
        "type": "SeaMicro",
        "seaMicro": {
            "cli": {
                "host": "sm15k-01.rack.internal",
                "port": 830,
                "hostKeys": ["ssh-ed25519 AAAA"],
                "legacyAlgorithms": ["ssh-rsa"],
            },
            "rest": {"url": "https://sm15k-01/v2.0", "caBundleRef": {"name": "sm15k-01", "key": "ca.crt"}},
        },
    },
    "Redfish": {
        "type": "Redfish",
        "redfish": {"url": "https://sm15k-01/redfish/v1", "caBundleRef": {"name": "sm15k-01", "key": "ca.crt"}},
    },
    "External": {"type": "External", "external": {"driver": "Bay", "parameters": {"place": "front"}}},
}
"""A chassis of every family, with all that can be said of it."""

MEMBERS = "exactly the member that type names must be set"
REQUIRED = "is required; add it."


@dataclass(frozen=True)
class Reach:
    """A change of how a chassis of one family is reached: what the new session sees in the field, why there is none (`fails`),
    why the object is `refused`, or after how many seconds the next look is (`next`), where no session is needed.
    """

    name: str
    edits: Edit | tuple[Edit, ...]
    sees: Any = None
    fails: str = ""
    refused: str = ""
    next: float = 0
    family: str = "SeaMicro"
    plan: tuple[()] = ()
    accepts: tuple[()] = ()


def _field(at: str, sees: Any, without: str | None = None, family: str = "SeaMicro") -> dict[str, tuple[Reach, ...]]:
    """A field that is changed, and removed: refused with these words, or the session does without."""
    cases = (Reach("changed", put(at, sees), sees=sees, family=family),)
    if without is None:
        return {at: (*cases, Reach("removed", drop(at), sees=DEFAULTS.get(at), family=family))}
    return {at: (*cases, Reach("removed", drop(at), refused=without, family=family))}


DEFAULTS: dict[str, Any] = {
    "hardware.seaMicro.cli.port": 22,
    "hardware.seaMicro.cli.hostKeys": [],
    "hardware.seaMicro.cli.legacyAlgorithms": [],
    "hardware.external.parameters": {},
    "limits.commandsPerSecond": 5.0,
    "limits.settleSeconds": 2.0,
    "limits.commandTimeoutSeconds": 60.0,
}
CA = {"name": "other", "key": "ca.crt"}
CLI, REST = "hardware.seaMicro.cli", "hardware.seaMicro.rest"
REACHING: dict[str, tuple[Reach, ...]] = {
    "hardware": (
        Reach("another family", put("hardware", HARDWARE["Redfish"]), sees=HARDWARE["Redfish"]["redfish"]),
        Reach("removed", drop("hardware"), refused=REQUIRED),
    ),
    "hardware.type": (
        Reach("changed alone", put("hardware.type", "Redfish"), refused=MEMBERS),
        Reach(
            "to a family that no driver is installed for",
            put("hardware", {"type": "External", "external": {"driver": "Nobody"}}),
            fails="spec.hardware asks for the driver Nobody, which is not installed",
        ),
    ),
    "hardware.seaMicro": (Reach("removed", drop("hardware.seaMicro"), refused=MEMBERS),),
    "hardware.redfish": (
        Reach("beside another", put("hardware.redfish", HARDWARE["Redfish"]["redfish"]), refused=MEMBERS),
    ),
    "hardware.external": (Reach("beside another", put("hardware.external", {"driver": "Bay"}), refused=MEMBERS),),
    **_field(CLI, {"host": "10.0.0.9", "port": 22, "hostKeys": [], "legacyAlgorithms": []}, REQUIRED),
    **_field(f"{CLI}.host", "10.0.0.9", REQUIRED),
    **_field(f"{CLI}.port", 2222),
    **_field(f"{CLI}.hostKeys", ["ssh-ed25519 BBBB"]),
    **_field(f"{CLI}.legacyAlgorithms", ["ssh-dss"]),
    **_field(REST, {"url": "https://other/v2.0"}),
    **_field(f"{REST}.url", "https://other/v2.0", REQUIRED),
    **_field(f"{REST}.caBundleRef", CA),
    **_field(f"{REST}.caBundleRef.name", "other", REQUIRED),
    **_field(f"{REST}.caBundleRef.key", "other.crt", REQUIRED),
    **_field("hardware.redfish.url", "https://other/redfish/v1", REQUIRED, "Redfish"),
    **_field("hardware.redfish.caBundleRef", CA, family="Redfish"),
    **_field("hardware.redfish.caBundleRef.name", "other", REQUIRED, "Redfish"),
    **_field("hardware.redfish.caBundleRef.key", "other.crt", REQUIRED, "Redfish"),
    "hardware.external.driver": (
        Reach(
            "to one that is not installed",
            put("hardware.external.driver", "Nobody"),
            fails="spec.hardware asks for the driver Nobody, which is not installed; installed are: Bay, Redfish, SeaMicro.",
            family="External",
        ),
        Reach("removed", drop("hardware.external.driver"), refused=REQUIRED, family="External"),
    ),
    **_field("hardware.external.parameters", {"place": "back"}, family="External"),
    "credentialsRef": (Reach("removed", drop("credentialsRef"), refused=REQUIRED),),
    "credentialsRef.name": (
        Reach("another Secret", put("credentialsRef.name", "other"), sees="operator"),
        Reach(
            "a Secret that is not there",
            put("credentialsRef.name", "nobody"),
            fails="spec.credentialsRef: there is no Secret nobody in namespace rack.",
        ),
    ),
    "limits": (Reach("removed", drop("limits"), sees=(5.0, 2.0, 60.0)),),
    **_field("limits.commandsPerSecond", 7.0),
    **_field("limits.settleSeconds", 1.0),
    **_field("limits.commandTimeoutSeconds", 30.0),
    "policy.resyncSeconds": (
        Reach("changed", put("policy.resyncSeconds", 30), next=30),
        Reach("removed", drop("policy.resyncSeconds"), next=60),
        Reach("never", put("policy.resyncSeconds", 0), refused="0 is too small; use at least 1."),
    ),
}
"""By field. Nothing of it is known to the device: what a person changes here leaves the rack as it is."""
