"""The private apt: it takes the machine's mirror and settings, and none of its hooks."""

from pathlib import Path

import pytest

from tests.kubelab.apt import PrivateApt, mirror
from tests.kubelab.console import KubelabError
from tests.unit.kubelab.conftest import FakeExecutable


def _sources(**mirrors: str) -> str:
    """What `apt-get update --print-uris` says of these suites."""
    lines = []
    for suite, mirror_of in mirrors.items():
        release = f"dists/{suite.replace('_', '-')}"
        lines.append(f"'{mirror_of}{release}/InRelease' some-file_InRelease 0 ")
        lines.append(f"'{mirror_of}{release}/main/binary-amd64/Packages.xz' some-file_Packages 0 ")
    return "\n".join(lines)


def _print(text: str) -> str:
    return f"print({text!r})"


@pytest.mark.parametrize("suite", ["bookworm", "stable", "trixie"])
def test_the_mirror_is_debian_s_own_archive_and_no_other(fake_executable: FakeExecutable, suite: str) -> None:
    security = {"bookworm_security": "http://security.test/debian-security/"}
    others = {"cloud-sdk-bookworm": "http://vendor.test/apt/", "bookworm_updates": "http://updates.test/debian/"}
    text = _sources(**security, **{suite: "http://mirror.test/debian/"}, **others)
    fake_executable("apt-get", _print(text))
    assert mirror() == "http://mirror.test/debian/"


def test_a_machine_without_a_debian_mirror_is_told_what_to_do(fake_executable: FakeExecutable) -> None:
    fake_executable("apt-get", _print(_sources(nodistro="http://vendor.test/")))
    with pytest.raises(KubelabError, match="no Debian mirror: add one, or set KUBEBUILDER_ASSETS"):
        mirror()


@pytest.mark.usefixtures("bin_folder")
def test_a_machine_without_apt_is_told_what_to_do() -> None:
    with pytest.raises(KubelabError, match=r"apt-get is missing.*KUBEBUILDER_ASSETS"):
        mirror()


def test_settings_are_kept_and_hooks_are_not(
    fake_executable: FakeExecutable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_executable("apt-get", _print(_sources(bookworm="http://mirror.test/debian/")))
    hooks = 'APT::Update::Post-Invoke:: "rm -f /var/cache/apt/*.bin";\nDPkg::Post-Invoke:: "x";'
    fake_executable("apt-config", _print(f'Acquire::http::Proxy "http://proxy.test";\n{hooks}'))
    monkeypatch.setattr("tests.kubelab.apt.run", lambda *args, **kwargs: None)
    PrivateApt(tmp_path / "apt", with_sources=True)
    written = (tmp_path / "apt/apt.conf").read_text()
    assert 'Acquire::http::Proxy "http://proxy.test";' in written
    assert "Post-Invoke" not in written
    assert f'Dir::Cache "{tmp_path}/apt/cache";' in written
    sources = (tmp_path / "apt/sources.list").read_text().splitlines()
    assert [line.split()[0] for line in sources] == ["deb", "deb-src"]
    assert all("http://mirror.test/debian/ bookworm main" in line for line in sources)
