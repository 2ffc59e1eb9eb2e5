"""Debian packages without installing any: a private apt with its own lists and caches, from the machine's own mirror.

Works for any user, and changes nothing outside the folder it is given.
"""

import re
import subprocess
from pathlib import Path

from tests.kubelab.console import KubelabError
from tests.kubelab.process import run

SUITE = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# How a machine that runs Debian may call its suite; third parties use other words, and security is another archive.
_DEBIAN_SUITES = (SUITE, "stable", "oldstable", "oldoldstable", "testing", "unstable", "trixie", "forky", "sid")
_RELEASE = re.compile(r"'(?P<mirror>\S+/)dists/(?P<suite>[^/']+)/(In)?Release'")
# The machine's hooks are about its own caches, and need root.
_HOOKS = ("APT::Update::", "DPkg::")


class PrivateApt:
    """apt with its state in `folder`; downloads land in `folder/downloads`, signed by a key in `keyring`."""

    def __init__(
        self, folder: Path, *, suite: str = SUITE, keyring: Path = KEYRING, with_sources: bool = False
    ) -> None:
        self._folder = folder
        self._suite = suite
        self._keyring = keyring
        self._log = folder / "apt.log"
        self._downloads = folder / "downloads"
        for part in ("lists/partial", "cache/archives/partial", "downloads"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()
        self._write_configuration(with_sources)
        self._apt("update")

    def download(self, *packages: str) -> list[Path]:
        """The .deb files of binary packages for this machine's architecture, without what they depend on."""
        self._apt("download", *packages)
        return [self._newest(f"{package}_*.deb") for package in packages]

    def source(self, package: str) -> Path:
        """The upstream tarball of a source package."""
        self._apt("source", "--download-only", package)
        return self._newest(f"{package}_*.orig.tar.*[!c]")

    def _newest(self, pattern: str) -> Path:
        found = sorted(self._downloads.glob(pattern))
        if not found:
            raise KubelabError(
                f"apt downloaded nothing like {pattern} of {self._suite}: look at the machine's apt sources"
            )
        return found[-1]

    def _apt(self, *arguments: str) -> None:
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "APT_CONFIG": str(self._folder / "apt.conf")}
        run(["apt-get", "-qq", *arguments], self._log, cwd=self._downloads, env=env)

    def _write_configuration(self, with_sources: bool) -> None:
        if not self._keyring.exists():
            raise KubelabError(f"{self._keyring} is missing: install debian-archive-keyring, or set KUBEBUILDER_ASSETS")
        kinds = ("deb", "deb-src") if with_sources else ("deb",)
        line = f"[signed-by={self._keyring}] {mirror()} {self._suite} main"
        (self._folder / "sources.list").write_text("".join(f"{kind} {line}\n" for kind in kinds))
        own = {
            "Dir::Etc::Main": "/dev/null",  # all of the machine's configuration is copied below, but for its hooks
            "Dir::Etc::Parts": "/dev/null",
            "Dir::Etc::SourceList": self._folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": self._folder / "lists",
            "Dir::State::Status": self._folder / "status",
            "Dir::Cache": self._folder / "cache",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "APT::Sandbox::User": "root",  # the unprivileged user of apt cannot write here
        }
        kept = [line for line in _query("apt-config", "dump") if not line.startswith(_HOOKS)]
        lines = kept + [f'{name} "{value}";' for name, value in own.items()]
        (self._folder / "apt.conf").write_text("\n".join(lines) + "\n")


def mirror() -> str:
    """The Debian mirror that this machine's apt uses; known even where its lists were never fetched."""
    releases = (_RELEASE.match(line) for line in _query("apt-get", "update", "--print-uris"))
    found = {release["suite"]: release["mirror"] for release in releases if release}
    for suite in _DEBIAN_SUITES:
        if suite in found:
            return found[suite]
    raise KubelabError("this machine's apt knows no Debian mirror: add one, or set KUBEBUILDER_ASSETS")


def unpack(deb: Path, into: Path, log: Path) -> None:
    """The files of a package, without its scripts."""
    run(["dpkg", "-x", deb, into], log)


def _query(*argv: str) -> list[str]:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise KubelabError(
            f"{argv[0]} is missing, so Debian's packages cannot be had: set KUBEBUILDER_ASSETS"
        ) from error
    except subprocess.CalledProcessError as error:
        raise KubelabError(f"{argv[0]} failed: {error.stderr.strip()}") from error
    return done.stdout.splitlines()
