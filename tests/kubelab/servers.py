"""The command lines of the servers, tuned for tests: small, fast to start, loopback only."""

from pathlib import Path

from tests.kubelab.pki import ServerKeys

SERVICE_ADDRESS = "10.0.0.1"
_SERVICE_RANGE = "10.0.0.0/24"

Argv = list[str | Path]


def etcd(binary: Path, data: Path, *, client_port: int, peer_port: int) -> Argv:
    """One member, which does not wait for the disk: its data is never read again."""
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    return [
        binary,
        f"--data-dir={data}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]


def kube_apiserver(binary: Path, keys: ServerKeys, tokens: Path, *, etcd_port: int, port: int) -> Argv:
    """With RBAC and token users; pods need no ServiceAccount, because nothing runs them.

    Only options that small servers of one's own under KUBEBUILDER_ASSETS are likely to know, too.
    """
    return [
        binary,
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={keys.certificate}",
        f"--tls-private-key-file={keys.key}",
        f"--token-auth-file={tokens}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys.token_signing_key}",
        f"--service-account-signing-key-file={keys.token_signing_key}",
        "--authorization-mode=RBAC",
        f"--service-cluster-ip-range={_SERVICE_RANGE}",
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged=true",
    ]


def kube_controller_manager(binary: Path, kubeconfig: Path) -> Argv:
    """Only what makes deletion work: namespaces end, owned objects go with their owner. Serves nothing itself."""
    return [
        binary,
        f"--kubeconfig={kubeconfig}",
        "--controllers=namespace,garbagecollector",
        "--leader-elect=false",
        "--port=0",
        "--secure-port=0",
        "--use-service-account-credentials=false",
        # The ending of a namespace lists every kind there is; the default of 20 requests a second makes that slow.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]
