"""The recipe for executables that Debian has ready: download the package, take them out, install nothing."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.kubelab.apt import KEYRING, SUITE, PrivateApt, unpack
from tests.kubelab.console import KubelabError, Progress


@dataclass(frozen=True)
class DebianPackage:
    """Executables of one package, from its /usr/bin. `version` is how the package's version must begin."""

    name: str
    package: str
    version: str
    executables: tuple[str, ...]
    suite: str = SUITE

    @property
    def text(self) -> str:
        """See Recipe."""
        return json.dumps(asdict(self))

    def make(self, work: Path, out: Path, progress: Progress) -> None:
        """See Recipe."""
        progress.say(f"downloading Debian's package {self.package}")
        (deb,) = self._apt(work).download(self.package)
        if not deb.name.startswith(f"{self.package}_{self.version}"):
            raise KubelabError(f"{self.suite} has {deb.name}, not {self.package} {self.version}: correct the recipe")
        unpack(deb, work / "root", work / "unpack.log")
        for name in self.executables:
            shutil.copy2(work / "root/usr/bin" / name, out / name)

    def _apt(self, work: Path) -> PrivateApt:
        apt = PrivateApt(work / "apt")
        if self.suite == SUITE:
            return apt
        (deb,) = apt.download("debian-archive-keyring")  # the machine's may be older than the newer suite's keys
        unpack(deb, work / "keys", work / "unpack.log")
        keyring = work / "keys" / KEYRING.relative_to("/")
        return PrivateApt(work / f"apt-{self.suite}", suite=self.suite, keyring=keyring)


ETCD = DebianPackage("etcd", "etcd-server", "3.4.", ("etcd",))
PROMTOOL = DebianPackage("promtool", "prometheus", "2.42.", ("promtool",))
# Of the next suite, whose kubectl needs no newer C library: the kustomize in bookworm's kubectl 1.20 knows no folders
# among its resources.
KUBECTL = DebianPackage("kubectl", "kubectl", "1.32.", ("kubectl",), suite="trixie")
