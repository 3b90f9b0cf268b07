from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import serving
from serving import config_files
from serving.config_files import ConfigFileError
from tests.explains import refused

SHIPPED = Path(serving.__file__).parent / "config"


def test_the_shipped_models_tell_two_versions_apart_by_labels() -> None:
    (model,) = config_files.read_models(SHIPPED / "models.config").model_config_list.config
    assert model.name == "classifier"
    assert model.model_platform == "tensorflow"
    versions = set(model.model_version_policy.specific.versions)
    assert set(model.version_labels) == {"stable", "canary"}
    assert set(model.version_labels.values()) == versions


def test_a_request_of_the_client_fits_into_a_shipped_batch() -> None:
    from serving.client import Client

    options = config_files.read_batching(SHIPPED / "batching_parameters.txt")
    at_once = inspect.signature(Client.__init__).parameters["max_pictures"].default
    assert options.max_batch_size >= at_once
    assert options.batch_timeout_micros <= 10_000


def test_the_shipped_monitoring_names_prometheus_path() -> None:
    found = config_files.read_monitoring(SHIPPED / "monitoring.config").prometheus_config
    assert (found.enable, found.path) == (True, "/monitoring/prometheus/metrics")


def test_the_shipped_tls_file_has_every_field() -> None:
    found = config_files.read_ssl(SHIPPED / "ssl.config")
    assert found.server_key.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert found.server_cert.startswith("-----BEGIN CERTIFICATE-----\n")


@pytest.mark.parametrize(
    ("text", "fault", "allowed"),
    [
        ("max_batch_sise { value: 1 }", "1:1 .*max_batch_sise", "BatchingParameters as text"),
        ("max_batch_size: 1", "1:17 .*max_batch_size", "BatchingParameters as text"),
        ("max_batch_size { value: 0 }", "max_batch_size is 0", "must be at least 1"),
        ("batch_timeout_micros { value: -1 }", "micros is -1", "must be at least 0"),
    ],
)
def test_a_wrong_file_is_told_by_name_and_place(
    text: str, fault: str, allowed: str, tmp_path: Path
) -> None:
    (tmp_path / "batching.txt").write_text(text)
    with refused(
        ConfigFileError, found=rf"batching\.txt.*{fault}", allowed=allowed, next="Correct it"
    ):
        config_files.read_batching(tmp_path / "batching.txt")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with refused(
        ConfigFileError,
        found="none.config .*No such file",
        allowed="A ModelServerConfig as text is needed",
        next="name another",
    ):
        config_files.read_models(tmp_path / "none.config")


def test_what_is_not_set_is_as_in_tensorflow_serving(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    options = config_files.read_batching(tmp_path / "empty.txt")
    assert (options.max_batch_size, options.batch_timeout_micros) == (1000, 0)
    assert options.max_enqueued_batches == 10
