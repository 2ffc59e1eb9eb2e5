"""The recipe for executables that Debian has ready: download the package, take them out, install nothing."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.kubelab.apt import SUITE, PrivateApt, unpack
from tests.kubelab.console import KubelabError, Progress


@dataclass(frozen=True)
class DebianPackage:
    """Executables of one package, from its /usr/bin. `version` is how the package's version must begin."""

    name: str
    package: str
    version: str
    executables: tuple[str, ...]

    @property
    def text(self) -> str:
        """See Recipe."""
        return json.dumps([SUITE, asdict(self)])

    def make(self, work: Path, out: Path, progress: Progress) -> None:
        """See Recipe."""
        progress.say(f"downloading Debian's package {self.package}")
        (deb,) = PrivateApt(work / "apt").download(self.package)
        if not deb.name.startswith(f"{self.package}_{self.version}"):
            raise KubelabError(f"{SUITE} has {deb.name}, not {self.package} {self.version}: correct the recipe")
        unpack(deb, work / "root", work / "unpack.log")
        for name in self.executables:
            shutil.copy2(work / "root/usr/bin" / name, out / name)


ETCD = DebianPackage("etcd", "etcd-server", "3.4.", ("etcd",))
KUBECTL = DebianPackage("kubectl", "kubernetes-client", "1.20.", ("kubectl",))
PROMTOOL = DebianPackage("promtool", "prometheus", "2.42.", ("promtool",))
