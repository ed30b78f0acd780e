"""The manifests of deploy/kubernetes: the base as it stands, and the example as `kubectl kustomize` builds it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.waiting import TIMEOUT

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
BASE, EXAMPLE = FOLDER / "base", FOLDER / "overlays" / "example"

Manifest = dict[str, Any]


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice: the last one would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"{node.start_mark}: a key stands twice"
        return super().construct_mapping(node, deep)


def documents(text: str) -> list[Manifest]:
    """All documents of a file."""
    return [document for document in yaml.load_all(text, _StrictLoader) if document is not None]


def resources(folder: Path) -> list[Manifest]:
    """What the folder's kustomization.yaml lists, but for other folders, without its changes."""
    (kustomization,) = documents((folder / "kustomization.yaml").read_text())
    files = [folder / name for name in kustomization["resources"]]
    return [document for path in files if path.is_file() for document in documents(path.read_text())]


def built(folder: Path) -> list[Manifest]:
    """What kustomize makes of it. Skips where there is no kubectl."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is missing: deploy/kubernetes is not built by kustomize")
    run = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    return documents(run.stdout)


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    """Those of these kinds by name."""
    return {manifest["metadata"]["name"]: manifest for manifest in manifests if manifest["kind"] in kinds}


@dataclass(frozen=True)
class Workload:
    """A process of ours: the pod's specification and its only container."""

    name: str
    manifest: Manifest

    @property
    def pod(self) -> Manifest:
        pod: Manifest = self.manifest["spec"]["template"]["spec"]
        return pod

    @property
    def container(self) -> Manifest:
        container: Manifest
        (container,) = self.pod["containers"]
        return container

    @property
    def variables(self) -> dict[str, Manifest]:
        """The container's own variables by name; `envFrom` besides."""
        return {variable["name"]: variable for variable in self.container["env"]}

    @property
    def queues(self) -> list[str]:
        """The queues of a worker, as they stand in its command."""
        words = self.container["args"]
        queues: list[str] = words[2].split(",") if words[:2] == ["worker", "--queues"] else []
        return queues

    @property
    def spool_id(self) -> str | None:
        """SPOOL_ID of its first pod."""
        variable = self.variables.get("SPOOL_ID")
        return None if variable is None else str(variable.get("value", f"{self.name}-0"))


def workloads(manifests: list[Manifest]) -> dict[str, Workload]:
    """Deployments, StatefulSets and Jobs by name."""
    documents = of_kind(manifests, "Deployment", "StatefulSet", "Job")
    return {name: Workload(name, manifest) for name, manifest in documents.items()}


def mebibytes(quantity: str) -> int:
    """A quantity like `5Gi`."""
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]
