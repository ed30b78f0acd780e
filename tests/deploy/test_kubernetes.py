"""The manifests of deploy/kubernetes: valid, without rights, and true to what the processes need."""

import re
from fnmatch import fnmatch
from typing import Any

import pytest
import typer

from tests.deploy.conftest import NO_SETTINGS, SECRETS, least_memory
from tests.deploy.manifests import BASE, EXAMPLE, Manifest, Workload, built, mebibytes, of_kind, resources, workloads
from worker.api.server import _GRACEFUL_SECONDS
from worker.cli.main import app
from worker.cli.operations.spans import parse_span
from worker.queue_names import queue_names, queues_of
from worker.settings import Settings

# The oldest and the newest that are promised; ephemeral volumes and pod security have been there since 1.25.
VERSIONS = ("1.29", "1.37")
MANIFESTS = resources(BASE)
WORKLOADS = workloads(MANIFESTS)
WORKERS = [name for name, workload in WORKLOADS.items() if workload.queues]
# The process of docker-compose.yml that a workload is.
PROCESS = {"worker-spool": "worker-media"}
SHARED = Settings(redis_url="redis://127.0.0.1:1/0")


@pytest.fixture(params=sorted(WORKLOADS))
def workload(request: pytest.FixtureRequest) -> Workload:
    return WORKLOADS[request.param]


def _validate(manifests: list[Manifest], version: str) -> None:
    """Validate what Kubernetes itself defines."""
    # Here, because it compiles forty grammars: a second of processor time in each process that collects tests.
    import kubernetes_validate

    for manifest in manifests:
        if not manifest["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_base_is_valid_by_the_schemas_of_kubernetes(version: str) -> None:
    _validate(MANIFESTS, version)


def test_kustomize_builds_a_valid_example() -> None:
    manifests = built(EXAMPLE)
    _validate(manifests, VERSIONS[-1])

    assert workloads(manifests).keys() == WORKLOADS.keys()
    assert {m["metadata"].get("namespace") for m in manifests if m["kind"] != "Namespace"} == {"astegni"}
    assert {w.container["image"] for w in workloads(manifests).values()} == {
        "registry.astegni.example/astegni-worker:0.1.0"
    }
    assert len(manifests) == len(MANIFESTS) + len(resources(EXAMPLE))


def test_the_settings_of_the_example_are_valid() -> None:
    for manifests in (MANIFESTS, built(EXAMPLE)):
        data = of_kind(manifests, "ConfigMap")["astegni-settings"]["data"]
        assert set(data) & SECRETS == set()
        assert set(data) <= {name.upper() for name in Settings.model_fields}
        Settings(**{name.lower(): value for name, value in data.items()})


def test_every_variable_is_a_setting_and_no_other_gets_in(workload: Workload) -> None:
    assert set(workload.variables) <= NO_SETTINGS | {name.upper() for name in Settings.model_fields}
    # Of a Service `api` Kubernetes would make a variable API_PORT.
    assert workload.pod["enableServiceLinks"] is False


def test_secrets_are_given_by_reference_to_who_uses_them(
    workload: Workload, compose_secrets: dict[str, frozenset[str]]
) -> None:
    assert set(workload.variables) & SECRETS == compose_secrets[PROCESS.get(workload.name, workload.name)]
    for name in set(workload.variables) & SECRETS:
        reference = workload.variables[name]["valueFrom"]["secretKeyRef"]
        assert reference["key"] == name
        assert reference["name"].startswith("astegni-")
    assert of_kind(MANIFESTS, "Secret") == {}
    assert {tuple(source) for source in workload.container.get("envFrom", [])} <= {("configMapRef",)}


def test_the_command_is_one_of_ours(workload: Workload) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]

    assert workload.container["args"][0] in commands
    assert "command" not in workload.container
    assert workload.container["image"] == "astegni-worker"


def test_every_queue_has_a_consumer() -> None:
    consumed = {
        queue
        for name in WORKERS
        for queue in queues_of(WORKLOADS[name].queues, SHARED.model_copy(update={"spool_id": WORKLOADS[name].spool_id}))
    }

    assert consumed == {*queue_names(SHARED), "media.worker-media-0"}


def test_who_writes_a_spool_shares_it_with_the_workers_of_its_queue() -> None:
    mounts = {name: w for name, w in WORKLOADS.items() if "spool" in {v["name"] for v in w.pod["volumes"]}}
    (claimed,) = ({v["persistentVolumeClaim"]["claimName"] for w in [WORKLOADS["api"]] for v in w.pod["volumes"][1:]},)

    assert set(mounts) == {"api", "worker-spool", "worker-media"}
    assert claimed == set(of_kind(MANIFESTS, "PersistentVolumeClaim")) == {"spool"}
    assert mounts["worker-spool"].pod["volumes"] == WORKLOADS["api"].pod["volumes"]
    # Several nodes write it.
    assert of_kind(MANIFESTS, "PersistentVolumeClaim")["spool"]["spec"]["accessModes"] == ["ReadWriteMany"]
    # A spool of each pod's own, in which it makes files.
    assert "ephemeral" in mounts["worker-media"].pod["volumes"][1]
    assert {name: w.spool_id for name, w in WORKLOADS.items() if w.spool_id} == {
        **dict.fromkeys(("api", "worker-default", "worker-spool", "beat"), "shared"),
        "worker-media": "worker-media-0",
    }


def test_names_of_pods_are_names_of_spools() -> None:
    most = of_kind(MANIFESTS, "ScaledObject")["worker-media"]["spec"]["maxReplicaCount"]

    for number in range(most):
        assert Settings(spool_id=f"worker-media-{number}").spool_id


def test_no_pod_has_rights(workload: Workload) -> None:
    pod, container = workload.pod, workload.container

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001  # the Dockerfile's
    assert pod["securityContext"]["fsGroup"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & set(pod)
    assert [volume for volume in pod["volumes"] if "hostPath" in volume] == []
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_limits_suffice(workload: Workload) -> None:
    container = workload.container
    limit = mebibytes(container["resources"]["limits"]["memory"])
    requested = mebibytes(container["resources"]["requests"]["memory"])

    assert limit >= (least_memory(",".join(workload.queues)) if workload.queues else 256)
    assert requested <= limit
    # A limit of processor time would only stretch each job; the request shares it out.
    assert set(container["resources"]["limits"]) == {"memory"}


def test_every_lasting_process_is_watched_by_what_it_has() -> None:
    for name, workload in WORKLOADS.items():
        container = workload.container
        probes = {kind: container[kind] for kind in ("readinessProbe", "livenessProbe") if kind in container}
        assert len(probes) == (0 if name == "migrate" else 2), name
        alive = [probe["exec"]["command"] for probe in probes.values() if "exec" in probe]
        assert len(alive) == (2 if {"worker", "beat"} & {container["args"][0]} else 0), name
        assert {words[:2] == ["astegni", "alive"] for words in alive} <= {True}
        if alive:
            assert workload.variables["READY_FILE"]["value"] == "/tmp/alive"  # noqa: S108 - the container's
    ports = {"/healthz", "/readyz"}
    assert {
        WORKLOADS["api"].container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")
    } == ports


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_may_finish_before_it_is_killed(name: str, stop_seconds: float) -> None:
    # Media jobs take minutes, and what is given back begins again.
    hook = WORKLOADS[name].container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    assert hook == (["astegni", "drain", "--timeout", "10m"] if "media" in WORKLOADS[name].queues else [])
    drains = parse_span(hook[-1], "--timeout").total_seconds() if hook else 0

    assert WORKLOADS[name].pod["terminationGracePeriodSeconds"] >= drains + stop_seconds + 5
    # Half of what a long outage of the broker lasts must not restart workers whose jobs need no broker.
    assert WORKLOADS[name].container["livenessProbe"]["exec"]["command"][2:] == ["--within", "600"]


def test_the_api_may_answer_before_it_is_killed() -> None:
    api = WORKLOADS["api"]
    waits = int(api.container["lifecycle"]["preStop"]["exec"]["command"][1])

    assert api.pod["terminationGracePeriodSeconds"] >= waits + _GRACEFUL_SECONDS + 5


def test_disruptions_take_one_pod_of_each_at_a_time() -> None:
    budgets = of_kind(MANIFESTS, "PodDisruptionBudget")

    assert set(budgets) == {"api", *WORKERS}
    for name, budget in budgets.items():
        assert budget["spec"] == {
            "maxUnavailable": 1,
            "selector": {"matchLabels": {"app.kubernetes.io/component": name}},
        }


def _allowed(direction: str) -> dict[str, set[Any]]:
    """Ports that the policies open to each process."""
    ports: dict[str, set[Any]] = {name: set() for name in WORKLOADS}
    for policy in of_kind(MANIFESTS, "NetworkPolicy").values():
        if direction not in policy["spec"]["policyTypes"]:
            continue
        for name in WORKLOADS:
            if _selects(policy["spec"]["podSelector"], name):
                rules = policy["spec"].get(direction.lower(), [])
                ports[name] |= {port["port"] for rule in rules for port in rule["ports"]}
    return ports


def _selects(selector: Manifest, name: str) -> bool:
    expressions = selector.get("matchExpressions", [])
    labels = selector.get("matchLabels", {"app.kubernetes.io/component": name})
    return labels["app.kubernetes.io/component"] == name and all(
        (name in expression["values"]) is (expression["operator"] == "In") for expression in expressions
    )


def test_the_network_is_closed_but_for_what_each_process_needs() -> None:
    denied = of_kind(MANIFESTS, "NetworkPolicy")["default-deny"]["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    base = {53, 5432}
    public = {443, 8443}
    measured = {name: {"metrics"} for name in [*WORKERS, "beat"]}
    assert _allowed("Ingress") == {"migrate": set(), "flower": set(), "api": {"http"}, **measured}
    assert _allowed("Egress") == {
        "migrate": base,
        "beat": base,
        "flower": {53, 6379},
        "api": base | {6379} | public,
        "worker-default": base | {6379} | public | {465, 587},
        "worker-spool": base | {6379} | public,
        "worker-media": base | {6379} | public,
    }


def test_webhooks_reach_no_private_address() -> None:
    (rule,) = of_kind(MANIFESTS, "NetworkPolicy")["internet"]["spec"]["egress"]
    four = rule["to"][0]["ipBlock"]

    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(four["except"])


def test_every_file_is_used() -> None:
    for folder in (BASE, EXAMPLE):
        text = (folder / "kustomization.yaml").read_text()
        unused = [path.name for path in folder.iterdir() if not re.search(rf"- (?:path: )?{path.name}\b", text)]
        assert [name for name in unused if not fnmatch(name, "kustomization.yaml")] == []
