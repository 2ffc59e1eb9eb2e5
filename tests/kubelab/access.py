"""The access files of a control plane: the users' tokens as the server reads them, and the kubeconfig as clients do."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

ADMIN = "admin"
OPERATOR = "operator"
# The operator's context is the very ServiceAccount of deploy/, so that applying deploy/ is what gives it its rights.
OPERATOR_USER = "system:serviceaccount:rackwright-system:rackwright"
_OPERATOR_GROUPS = "system:serviceaccounts,system:serviceaccounts:rackwright-system"


@dataclass(frozen=True)
class Tokens:
    """Fresh secrets of the two users; `repr` never shows them."""

    admin: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    operator: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def write(self, path: Path) -> None:
        """As `--token-auth-file` wants it."""
        admin = f'{self.admin},admin,admin,"system:masters"'
        operator = f'{self.operator},{OPERATOR_USER},operator,"{_OPERATOR_GROUPS}"'
        _write_private(path, f"{admin}\n{operator}\n")


def write_kubeconfig(path: Path, *, url: str, ca: Path, tokens: Tokens) -> None:
    """Self-contained, with a context for each user; `admin` is the current one. JSON, which is YAML."""
    users = {ADMIN: tokens.admin, OPERATOR: tokens.operator}
    authority = base64.b64encode(ca.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": name, "user": {"token": token}} for name, token in users.items()],
        "contexts": [
            {"name": name, "context": {"cluster": "lab", "user": name, "namespace": "default"}} for name in users
        ],
        "current-context": ADMIN,
    }
    _write_private(path, json.dumps(config, indent=2))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
