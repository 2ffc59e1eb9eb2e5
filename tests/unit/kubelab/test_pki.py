"""The keys of a control plane: what a strict client checks of them."""

import datetime
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tests.kubelab.pki import ServerKeys, make_server_keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> ServerKeys:
    return make_server_keys(tmp_path_factory.mktemp("keys") / "pki", service_address="10.0.0.1")


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize(
    "subject",
    [
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
        x509.DNSName("localhost"),
        x509.DNSName("kubernetes.default.svc"),
    ],
)
def test_a_client_that_trusts_the_authority_accepts_the_server(
    keys: ServerKeys, subject: x509.IPAddress | x509.DNSName
) -> None:
    verifier = PolicyBuilder().store(Store([_certificate(keys.ca)])).build_server_verifier(subject)
    chain = verifier.verify(_certificate(keys.certificate), [])
    assert [certificate.subject for certificate in chain][-1] == _certificate(keys.ca).subject


def test_a_client_that_trusts_another_authority_does_not(keys: ServerKeys, tmp_path: Path) -> None:
    other = make_server_keys(tmp_path / "pki", service_address="10.0.0.1")
    verifier = PolicyBuilder().store(Store([_certificate(other.ca)])).build_server_verifier(x509.DNSName("localhost"))
    with pytest.raises(VerificationError):
        verifier.verify(_certificate(keys.certificate), [])


def test_private_keys_are_for_the_owner_alone_and_in_the_form_that_old_servers_read(keys: ServerKeys) -> None:
    for path in (keys.key, keys.token_signing_key):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().startswith("-----BEGIN EC PRIVATE KEY-----")


def test_certificates_live_for_weeks_and_not_for_years(keys: ServerKeys) -> None:
    for path in (keys.ca, keys.certificate):
        left = _certificate(path).not_valid_after_utc - datetime.datetime.now(datetime.UTC)
        assert datetime.timedelta(days=7) < left < datetime.timedelta(days=60)
