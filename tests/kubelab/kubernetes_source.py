"""The recipe for the genuine Kubernetes servers: Debian's source of Kubernetes 1.20.2, compiled with Debian's Go 1.19.

Nothing is installed. This file is the recipe's text: a change of it makes everybody build again.
"""

import re
import shutil
from pathlib import Path

from tests.kubelab.apt import SUITE, PrivateApt, unpack
from tests.kubelab.console import KubelabError, Progress
from tests.kubelab.process import run

VERSION = "1.20.2"
_GO = "1.19"
_MODULE = "k8s.io/kubernetes"
_SERVERS = ("kube-apiserver", "kube-controller-manager")
_REFLECT2 = "github.com/modern-go/reflect2"
_TAG = re.compile(r"^// *\+k8s:openapi-gen=true", re.MULTILINE)
_UNTAGGED = ("/testdata/", "sample", "code-generator")
_ALWAYS_IN_OPENAPI = ("apimachinery/pkg/runtime", "apimachinery/pkg/version")


class KubernetesServers:
    """kube-apiserver and kube-controller-manager; 4 to 6 minutes on two cores."""

    name = "kubernetes"
    executables = _SERVERS
    text = Path(__file__).read_text()

    def make(self, work: Path, out: Path, progress: Progress) -> None:
        """See Recipe."""
        progress.say(f"compiling kube-apiserver {VERSION} from Debian's source, once: 4 to 6 minutes on two cores")
        build = _Build(work, progress)
        build.fetch()
        build.generate_openapi()
        for server in _SERVERS:
            build.compile(server, out / server)
        progress.say("done")


class _Build:
    """One build, all of it under `work`."""

    def __init__(self, work: Path, progress: Progress) -> None:
        self._work = work
        self._progress = progress
        self._log = work / "build.log"
        self._root = work / "root"  # where Debian's packages are unpacked
        self._source = work / "gopath/src" / _MODULE
        self._go = self._root / f"usr/lib/go-{_GO}"

    def fetch(self) -> None:
        """The source, the compiler, and the one library that must be newer."""
        apt = PrivateApt(self._work / "apt", with_sources=True)
        self._progress.say(f"downloading the source and Go from {SUITE}")
        tarball = apt.source("kubernetes")
        if f"really{VERSION}" not in tarball.name and f"_{VERSION}." not in tarball.name:
            raise KubelabError(f"{SUITE} has {tarball.name}, not Kubernetes {VERSION}: correct VERSION in {__file__}")
        for deb in apt.download(f"golang-{_GO}-go", f"golang-{_GO}-src", "golang-github-modern-go-reflect2-dev"):
            unpack(deb, self._root, self._log)
        self._source.mkdir(parents=True)
        run(["tar", "xf", tarball, "-C", self._source, "--strip-components=1"], self._log)
        self._replace_reflect2()

    def _replace_reflect2(self) -> None:
        """Kubernetes 1.20 vendors reflect2 1.0.1, which panics with Go 1.18 and later; Debian has 1.0.2."""
        vendored = self._source / "vendor" / _REFLECT2
        shutil.rmtree(vendored)
        newer = self._root / "usr/share/gocode/src" / _REFLECT2
        shutil.copytree(newer, vendored, ignore=shutil.ignore_patterns("*_test.go"))

    def generate_openapi(self) -> None:
        """The OpenAPI definitions, which upstream's makefile generates and Debian's source does not hold."""
        self._progress.say("generating the OpenAPI definitions")
        generator = self._work / "openapi-gen"
        self._run_go("build", "-o", generator, f"./vendor/k8s.io/kube-openapi/cmd/{generator.name}")
        packages = [f"{_MODULE}/{folder}" for folder in self._tagged("pkg", "cmd", "plugin")]
        staged = self._tagged("staging/src/k8s.io")
        packages += [
            f"{_MODULE}/vendor/{folder.removeprefix('staging/src/')}"
            for folder in staged
            if not any(word in f"{folder}/" for word in _UNTAGGED)
        ]
        packages += [f"{_MODULE}/vendor/k8s.io/{package}" for package in _ALWAYS_IN_OPENAPI]
        options = {
            "-i": ",".join(packages),
            "-p": f"{_MODULE}/pkg/generated/openapi",
            "-O": "zz_generated.openapi",
            "-h": "vendor/k8s.io/code-generator/hack/boilerplate.go.txt",
            "-r": str(self._work / "violations.txt"),
        }
        self._run(generator, "--logtostderr", *(word for option in options.items() for word in option))

    def _tagged(self, *roots: str) -> list[str]:
        """The folders, relative to the source, of packages that ask for OpenAPI definitions."""
        files = (file for root in roots for file in (self._source / root).rglob("*.go"))
        tagged = {file.parent for file in files if _TAG.search(file.read_text(errors="replace"))}
        return sorted(str(folder.relative_to(self._source)) for folder in tagged)

    def compile(self, server: str, target: Path) -> None:
        """One server, stamped with its version as upstream does it."""
        self._progress.say(f"compiling {server}")
        major, minor, _ = VERSION.split(".")
        stamp = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
        flags = ["-s", "-w"]
        for package in ("client-go/pkg/version", "component-base/version"):
            flags += [f"-X {_MODULE}/vendor/k8s.io/{package}.{name}={value}" for name, value in stamp.items()]
        self._run_go("build", "-ldflags", " ".join(flags), "-o", target, f"./cmd/{server}")

    def _run_go(self, *arguments: str | Path) -> None:
        self._run(self._go / "bin/go", *arguments)

    def _run(self, *argv: str | Path) -> None:
        env = {
            "PATH": f"{self._go}/bin:/usr/bin:/bin",
            "HOME": str(self._work),
            "TMPDIR": str(self._work),
            "GOROOT": str(self._go),
            "GOPATH": str(self._work / "gopath"),
            "GOCACHE": str(self._work / "gocache"),
            "GO111MODULE": "off",
            "CGO_ENABLED": "0",
        }
        run(argv, self._log, cwd=self._source, env=env, heartbeat=lambda: self._progress.say("still at it"))
