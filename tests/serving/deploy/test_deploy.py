"""The deployment files, as far as a machine without Docker or a cluster can check them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import serving
from serving import config_files

DEPLOY = Path(serving.__file__).parent / "deploy"
CONFIG = DEPLOY.parent / "config"
COMPOSE = ("compose.yaml", "compose.canary.yaml", "compose.tls.yaml")

# tensorflow_serving/model_servers/main.cc
FLAGS = {
    "allow_version_labels_for_unavailable_models",
    "batching_parameters_file",
    "enable_batching",
    "grpc_max_threads",
    "model_base_path",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "model_name",
    "monitoring_config_file",
    "port",
    "rest_api_port",
    "ssl_config_file",
}


class _Loader(yaml.SafeLoader):
    """Compose's own tag `!override` replaces a list where a second file would add to it."""


_Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node, True))


def read(name: str) -> list[Any]:
    return list(yaml.load_all((DEPLOY / name).read_text("utf-8"), _Loader))


@pytest.mark.parametrize("version", ["1.28", "1.34"])
def test_kubernetes_takes_every_document(version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="its schemas are not installed")
    documents = read("kubernetes.yaml")
    assert [document["kind"] for document in documents] == ["ConfigMap", "Deployment", "Service"]
    for document in documents:
        validator.validate(document, version, strict=True)
    with pytest.raises(validator.ValidationError):
        validator.validate(documents[1] | {"spek": {}}, version, strict=True)


def test_kserve_takes_the_inference_service() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="no validator is installed")
    schema = json.loads(Path(__file__).with_name("inference_service.schema.json").read_text())
    [document] = read("kserve.yaml")
    jsonschema.validate(document, schema)
    predictor = document["spec"]["predictor"]
    assert 0 < predictor["canaryTrafficPercent"] < 100
    assert predictor["model"]["modelFormat"]["name"] == "tensorflow"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "spec": {"predictor": {"canary": 10}}}, schema)


def test_the_deployment_is_probed_by_the_state_of_the_model() -> None:
    [container] = read("kubernetes.yaml")[1]["spec"]["template"]["spec"]["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/v1/models/classifier"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        (how,) = (
            container[probe][kind] for kind in ("httpGet", "tcpSocket") if kind in container[probe]
        )
        assert how["port"] in ports


def test_the_service_leads_to_the_deployment() -> None:
    _, deployment, service = read("kubernetes.yaml")
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert {port["port"] for port in service["spec"]["ports"]} == {8500, 8501}


def test_kubernetes_has_the_configuration_that_is_shipped(tmp_path: Path) -> None:
    data = read("kubernetes.yaml")[0]["data"]
    for name, text in data.items():
        (tmp_path / name).write_text(text)
    name = "batching_parameters.txt"
    assert config_files.read_batching(tmp_path / name) == config_files.read_batching(CONFIG / name)
    name = "monitoring.config"
    assert config_files.read_monitoring(tmp_path / name) == config_files.read_monitoring(
        CONFIG / name
    )


@pytest.mark.parametrize("name", [*COMPOSE, "kubernetes.yaml", "kserve.yaml"])
def test_every_flag_is_one_of_the_server(name: str) -> None:
    flags = set(re.findall(r"- --([a-z_]+)=", (DEPLOY / name).read_text("utf-8")))
    assert flags
    assert flags <= FLAGS


@pytest.mark.parametrize("name", [*COMPOSE, "kubernetes.yaml", "kserve.yaml", "README.md"])
def test_every_server_has_threads_for_many_clients(name: str) -> None:
    assert "--grpc_max_threads=64" in (DEPLOY / name).read_text("utf-8")


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_mounts_what_its_flags_name(name: str) -> None:
    base, [over] = read("compose.yaml")[0]["services"]["serving"], [read(name)[0]["services"]]
    service = over["serving"]
    mounts = [entry.rsplit(":", 2)[1] for entry in [*base["volumes"], *service.get("volumes", [])]]
    files = [word.partition("=")[2] for word in service["command"] if "_file=" in word]
    assert files
    for file in files:
        assert any(file.startswith(f"{mount}/") for mount in mounts)
        if file.startswith("/config/"):
            assert (CONFIG / Path(file).name).is_file()
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", base["image"])


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_itself_takes_the_files(name: str, tmp_path: Path) -> None:
    has_compose = (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    )
    if not has_compose:
        pytest.skip("no docker compose on this machine")
    words = ["docker", "compose", "-f", DEPLOY / "compose.yaml", "-f", DEPLOY / name]
    variables = os.environ | {"MODEL_DIR": str(tmp_path), "TLS_DIR": str(tmp_path)}
    subprocess.run([*words, "config", "--quiet"], check=True, env=variables)


@pytest.mark.parametrize("name", [*COMPOSE, "kubernetes.yaml", "kserve.yaml"])
def test_every_file_begins_with_the_command_that_starts_it(name: str) -> None:
    head = (DEPLOY / name).read_text("utf-8").split("\n\n")[0][:600]
    assert f"serving/deploy/{name}" in head


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on this machine")
def test_the_certificates_make_a_file_that_the_server_reads(tmp_path: Path) -> None:
    script = DEPLOY / "make_certificates.sh"
    done = subprocess.run([script, tmp_path / "keys", "my-host"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = config_files.read_ssl(Path(done.stdout.strip()))
    assert found.server_cert == (tmp_path / "keys" / "server.pem").read_text()
    assert not found.client_verify
    assert (tmp_path / "keys" / "server.key").stat().st_mode & 0o077 == 0
