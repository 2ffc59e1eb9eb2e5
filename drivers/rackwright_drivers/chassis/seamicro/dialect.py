"""The command line of the SM15000 as data: prompts, ways between modes, commands, questions, refusals. No logic.

The page docs/seamicro-cli.md grades each line by where it was seen. `render` fills in the templates.
"""

import re
from dataclasses import dataclass

from rackwright_drivers.contract.errors import ConflictError, PermanentError, TransientError, UnsafeError
from rackwright_drivers.transports.shell import SILENT, Command, Question, ShellDialect

# Untagged traffic of a port that nobody configured is in this VLAN; `no untagged-vlan 0` means to drop it.
DEFAULT_VLAN = 0

SHELL = ShellDialect(
    prompt=r"{host}(?:\((?P<mode>[^()\s]+)\))?(?P<level>[#>])",
    question=re.compile(r"[(\[](?:yes/no|y/n)[)\]]\s*[:?]?", re.IGNORECASE),
    decline="no",
    user_level=">",
    enable="enable",
    refusals=(
        (re.compile(r"it asked what nobody expected"), UnsafeError),
        (re.compile(r"it left the shell in mode"), TransientError),
        (re.compile(r"(?i)\b(?:invalid|unknown|incomplete|ambiguous|unrecognized)\b"), PermanentError),
        (re.compile(r"(?i)\b(?:busy|try again|in progress|not ready|timed? ?out|internal error)\b"), TransientError),
        (
            re.compile(r"(?i)\b(?:locked|another (?:user|session)|already|in use|is assigned|has assigned)\b"),
            ConflictError,
        ),
    ),
)
# A refusal. What else a line prints that should be silent may be a warning about something that happened.
REFUSAL = re.compile(r"\s*% ?\S")
# Refusals after which something may have happened all the same.
DOUBTFUL = re.compile(r"(?i)\b(?:internal error|timed? ?out|failed|abort(?:ed)?|interrupted|lost)\b")
# A line that was not even understood: nothing of it happened, not in part either.
NOT_UNDERSTOOD = re.compile(r"(?i)\b(?:invalid|unknown|incomplete|ambiguous|unrecognized)\b")

EXEC_MODE = ""
CONFIGURE = Command(
    "configure terminal",
    re.compile(r"(?:Enter configuration commands, one per line\.\s+End with CNTL/Z\.)?"),
    leads_to="config",
)
END = Command("end", leads_to=EXEC_MODE)


@dataclass(frozen=True, slots=True)
class Place:
    """A mode inside configuration: the line that enters it and what its prompt shows."""

    line: str
    mode: str


SERVER = Place("server id {server}", "config-id-{server}")
NIC = Place("nic {index}", "config-nic-{index}")
UPLINK = Place("interface {port}", "config-if-{port}")
LEAVE = "exit"


@dataclass(frozen=True, slots=True)
class Template:
    """A line that changes something. `alone`: never in a burst with others; `parts`: it may half-happen."""

    line: str
    expect: re.Pattern[str] = SILENT
    questions: tuple[Question, ...] = ()
    alone: bool = False
    parts: bool = False


SET_MODE = Template("storage set mgmt-mode {mode} slot {slot} no-confirm", alone=True)
CLEAR_METADATA = Template(
    "storage clear-metadata disk {disks} slot {slot}",
    questions=(
        Question(
            "All data on the specified disk(s) will be lost with this operation\n"
            "Are you sure you want to proceed (yes/no):",
            "yes",
        ),
        Question("Please enter 'yes' again if you really want to proceed (yes/no):", "yes"),
    ),
    alone=True,
    parts=True,
)
CREATE_POOL = Template(
    "storage create pool {pool} disk {disks}", re.compile(r"Pool \S+ created successfully\.?", re.IGNORECASE)
)
CREATE_VOLUME = Template("storage create volume {volume} size {size}")
CREATE_VOLUMES = Template("storage create volume-prefix {volume} size {size} count {count}", parts=True)
DELETE_VOLUME = Template("storage delete volume {volume}", alone=True)
DELETE_VOLUMES = Template("storage delete volume-prefix {volume} count {count}", alone=True, parts=True)
DELETE_POOL = Template("storage delete pool {pool}", alone=True)
ATTACH = Template("storage assign {server} {vdisk} volume {volume}")
ATTACH_RANGE = Template("storage assign-range {servers} {vdisks} volume {prefix} uuid", parts=True)
DETACH = Template("storage unassign {server} {vdisk}")
DETACH_RANGE = Template("storage unassign-range {servers} {vdisk}", parts=True)
CREATE_VLAN = Template("switch system-vlan {vlan}")
UNTAG = Template("untagged-vlan {vlan}")
NO_UNTAG = Template("no untagged-vlan {vlan}")
TAG = Template("tagged-vlan {vlan}")
NO_TAG = Template("no tagged-vlan {vlan}")
POWER_ON = Template("power-on server {server} no-confirm")
POWER_OFF = Template("power-off server {server} force no-confirm")

SHOW = "show {what} | nomore"
SHOW_CHASSIS = "chassis"
SHOW_SERVERS = "server summary all"
SHOW_SLOTS = "storage slot brief"
SHOW_DISKS = "storage disk brief"
SHOW_POOLS = "storage pool brief"
SHOW_VOLUMES = "storage volume brief"
SHOW_ASSIGNMENTS = "storage assign brief"
SHOW_VLANS = "vlan"
