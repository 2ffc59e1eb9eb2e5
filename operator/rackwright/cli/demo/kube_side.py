"""A Kubernetes API server, kept by `rackwright run`, and a person who works with kubectl."""

import asyncio
import http
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from rackwright.api.kinds import KINDS as API_KINDS
from rackwright.cli.demo.errors import DemoError
from rackwright.cli.demo.journal import latest
from rackwright.cli.demo.manifests import write
from rackwright.cli.demo.processes import RACKWRIGHT, Child, run, start
from rackwright.cli.demo.report import Object
from rackwright.cli.demo.tell import Teller
from rackwright.core.resource import API_VERSION, KINDS, Ref

CHECKOUT = Path(__file__).parents[4]
NAMESPACE = "rack"
OPERATOR = "operator"  # a context with the operator's own account: where there is one, it runs with its own rights only
JOURNAL = "journal.jsonl"
SHOWN_LINES = 12
BUSY_SECONDS = 1.0
BUSY_TRIES = 30
_HELD = '{range .status.plan.stages[0].steps[*]}{.risk} {.action} {.target}: {.commands}{"\\n"}{end}'
_READY = '{range .status.conditions[?(@.type=="Ready")]}{.reason}: {.message}{"\\n"}{end}'
_DRIFT = '{range .status.drift[*]}{.path}: wanted {.wanted}, found {.found}, since {.since}{"\\n"}{end}'


class KubeSide:
    """The side of a cluster: the one that $KUBECONFIG leads to, in a namespace that is not there yet."""

    def __init__(self, work: Path, tell: Teller) -> None:
        self.folder = work / "rack"
        self._work = work
        self._tell = tell
        self._operator: Child | None = None
        self._proxy: Child | None = None
        self._session: aiohttp.ClientSession | None = None
        self.folder.mkdir(parents=True)

    async def open(self) -> None:
        """CRDs, the operator's rights, a way to read the API, and the operator."""
        if not os.environ.get("KUBECONFIG"):
            raise DemoError("--kube needs KUBECONFIG. `make demo-kube` brings an API server of its own.")
        if await self._kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name"):
            raise DemoError(f"The cluster of $KUBECONFIG has a namespace {NAMESPACE} already. Use one without.")
        await self._install()
        self._proxy = await start("kubectl proxy", ["kubectl", "proxy", "--port=0"], self._work / "proxy.log")
        address = (await self._proxy.announced(r"Starting to serve on (\S+)"))[1]
        self._session = aiohttp.ClientSession(f"http://{address}", timeout=aiohttp.ClientTimeout(total=30))
        contexts = await self._kubectl("config", "get-contexts", "-o", "name")
        account = ["--context", OPERATOR] if OPERATOR in contexts.split() else []
        serve = ["--metrics-host", "127.0.0.1", "--metrics-port", "0", "--journal", str(self._work / JOURNAL)]
        log = self._work / "operator.log"
        self._operator = await start("The operator", [*RACKWRIGHT, "run", "-n", NAMESPACE, *account, *serve], log)

    async def _install(self) -> None:
        """The CRDs, and an account for the operator with the rights that deploy/ gives it."""
        crds = sorted((CHECKOUT / "crds").glob("rackwright.dev_*.yaml"))
        base = ("namespace", "service-account", "rbac", "rbac-secrets")
        await self._kubectl(*_apply(*crds, *(CHECKOUT / "deploy" / "base" / f"{name}.yaml" for name in base)))
        names = [f"crd/{kind.crd_name}" for kind in API_KINDS.values()]
        await self._kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)

    async def aclose(self) -> None:
        """End the operator first. The objects stay where they are."""
        if self._operator is not None:
            await self._operator.stop()
        if self._session is not None:
            await self._session.close()
        if self._proxy is not None:
            await self._proxy.stop()

    def check(self) -> None:
        """DemoError where the operator or the way to the API has ended."""
        for child in (self._operator, self._proxy):
            if child is not None:
                child.check()

    def log_tail(self) -> str:
        """The end of the operator's log."""
        return self._operator.tail() if self._operator is not None else ""

    async def declare(self, name: str, content: str) -> None:
        """`kubectl apply`."""
        write(self.folder / name, content)
        await self._say("kubectl", *_apply(self.folder / name))

    async def objects(self) -> Mapping[Ref, Object]:
        """By the API, as `kubectl get` does."""
        found = {}
        for kind in KINDS:
            for item in await self._list(f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/{API_KINDS[kind].plural}"):
                ref = Ref(kind, NAMESPACE, item["metadata"]["name"])
                found[ref] = Object(ref, item.get("status") or {}, item["spec"].get("server"))
        return found

    async def show_objects(self) -> None:
        """`kubectl get rack`, and the wait that a script would do."""
        await self._say("kubectl", "get", "rack", "-n", NAMESPACE)
        nodes = ("computenodes", "--all", "-n", NAMESPACE)
        await self._say("kubectl", "wait", "--for=condition=ChassisReady", "--timeout=60s", *nodes)

    async def show_plan(self, refs: Sequence[Ref]) -> None:
        """The current stage of the plan in each object's status, with its commands."""
        await self._say("kubectl", "get", "chs,spool", "-n", NAMESPACE)
        for ref in refs:
            await self._say("kubectl", "get", *_named(ref), "-o", f"jsonpath={_HELD}")

    async def show_why(self, ref: Ref) -> None:
        """What the object's conditions and drift say."""
        await self._say("kubectl", "get", *_named(ref), "-o", f"jsonpath={_READY}{_DRIFT}")

    async def approve(self, ref: Ref) -> str:
        """Add the digest of the plan in the status to spec.approvals."""
        digest = (await self._kubectl("get", *_named(ref), "-o", "jsonpath={.status.plan.digest}")).strip()
        patch = orjson.dumps({"spec": {"approvals": [{"plan": digest}]}}).decode()
        await self._say("kubectl", "patch", *_named(ref), "--type=merge", "-p", patch)
        return digest

    async def planned(self) -> int:
        """Actions in the plans that the statuses publish."""
        plans = [item.status.get("plan") or {} for item in (await self.objects()).values()]
        return sum(stage["stepCount"] for plan in plans for stage in plan.get("stages", ()))

    async def versions(self) -> Mapping[str, str]:
        """Resource versions of our kinds, and of all Events, Secrets and ConfigMaps beside them."""
        ours = [f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/{kind.plural}" for kind in API_KINDS.values()]
        others = [f"/api/v1/namespaces/{NAMESPACE}/{name}" for name in ("events", "secrets", "configmaps")]
        return {
            f"{path}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for path in (*ours, *others)
            for item in await self._list(path)
        }

    def journal(self, lines: int) -> tuple[Mapping[str, object], ...]:
        """From the operator's file."""
        return latest(self._work / JOURNAL, lines)

    def hints(self) -> tuple[str, ...]:
        """Commands of kubectl."""
        return (
            f"export KUBECONFIG={shlex.quote(os.environ['KUBECONFIG'])}",
            f"kubectl get rack -n {NAMESPACE}",
            f"kubectl describe cn storage-0 -n {NAMESPACE}",
            f"kubectl get events -n {NAMESPACE}",
        )

    async def _list(self, path: str) -> list[Any]:
        assert self._session is not None  # objects are asked for after `open`
        for _ in range(BUSY_TRIES):
            try:
                async with self._session.get(path) as response:
                    answer = orjson.loads(await response.read())
            except aiohttp.ClientError as error:
                raise DemoError(f"The API server does not answer: {error}.") from error
            if response.status == http.HTTPStatus.OK:
                return list(answer["items"])
            if response.status != http.HTTPStatus.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(BUSY_SECONDS)  # a kind that was just installed may not be served yet
        raise DemoError(f"The API server refused {path}: {answer.get('message', response.status)}")

    async def _kubectl(self, *words: str | Path) -> str:
        try:
            return await run(["kubectl", *words])
        except FileNotFoundError as error:
            raise DemoError("--kube needs kubectl on the PATH. Install it, or use `make demo-kube`.") from error

    async def _say(self, *line: str | Path) -> None:
        self._tell.command(shlex.join(map(str, line)))
        self._tell.output(await run(line), SHOWN_LINES)


def _apply(*files: Path) -> list[str]:
    # Old servers cannot validate for the client, and every server checks what it is given anyway.
    return ["apply", "--validate=false", *(word for file in files for word in ("-f", str(file)))]


def _named(ref: Ref) -> tuple[str, ...]:
    return API_KINDS[ref.kind].plural, ref.name, "-n", ref.namespace
