"""Each step names the libraries that decide its result: of those that its code imports, all but
the ones that are listed here with a reason."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from tfx.dsl.components.base.base_node import BaseNode

from components.step import code_version
from components.step.driver import Keyed
from pipeline import config
from pipeline.definition import create_pipeline

DISTRIBUTIONS = {
    "PIL": "Pillow",
    "ai_edge_litert": "ai-edge-litert",
    "apache_beam": "apache-beam",
    "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking",
    "jinja2": "Jinja2",
    "keras_tuner": "keras-tuner",
    "tensorflow_data_validation": "tensorflow-data-validation",
    "tensorflow_model_analysis": "tensorflow-model-analysis",
    "tensorflow_serving": "tensorflow-serving-api",
    "tensorflow_transform": "tensorflow-transform",
}
"""By what is imported, where the distribution has another name."""

NEVER_DECIDES = {
    "attr": "TFX's own classes",
    "filelock": "locks",
    "google": "protocol buffers: messages come back as they were",
    "google_crc32c": "checksums, one result whatever the version",
    "grpc_health": "a server's state",
    "markupsafe": "escaping, with Jinja2",
    "keras_hub": "where it makes the backbone, the driver notes its version",
    "ml_metadata": "the store",
    "pyarrow": "columns that TFMA takes",
    "pydantic": "settings; what they hold is in the key already",
    "tensorflow_metadata": "messages",
    "tfx": "artifacts and files; steps that run TFX's executors name it nevertheless",
    "yaml": "how the configuration is shown",
}
"""Libraries that cannot change a step's result, by their import name."""

_OPENED = {"apache_beam": "how records of other file systems are opened"}
DOES_NOT_DECIDE_HERE = {
    "BaselineResolver": _OPENED,
    "DataValidator": {
        **_OPENED,
        "numpy": "numbers are counted and compared",
        "tensorflow": "records and messages come back as they were",
    },
    "ExampleValidator": _OPENED,
    "ImageExampleGen": {"openpyxl": "a workbook's cells; the listing's fingerprint has them"},
    "ImportSchemaGen": _OPENED,
    "InfraValidator": {**_OPENED, "tensorflow_transform": "the graph, which is in the SavedModel"},
    "LiteExport": _OPENED,
    "Pusher": {"apache_beam": "copies of files, the same whatever the version"},
    "Report": _OPENED,
    "StatisticsGen": _OPENED,
    "Transform": {
        "apache_beam": "a pipeline without a record",
        "numpy": "tables of integers: where a file says its size",
    },
    "Trainer": {
        **_OPENED,
        "PIL": "pictures of a trial that is not made",
        "grpc": "the errors of a server that does not run",
    },
    "Tuner": {**_OPENED, "h5py": "weights, which a search of heads does not load"},
}


def all_steps() -> list[BaseNode]:
    tree = {
        "data": {"source": "/x"},
        "push": {"directory": "/y"},
        "tuner": {"trials": 1},
        "export": {"tflite": ["float16"]},
    }
    return create_pipeline(config.build(tree)).components


STEPS = {node.id: type(node) for node in all_steps()}


def imported(source: Path) -> Iterator[str]:
    """Yields the first names of what a module imports and is not Python's or the project's own."""
    known = {*sys.stdlib_module_names, "components", "serving"}
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        yield from (name.split(".")[0] for name in names if name.split(".")[0] not in known)


def reached(step: type[Keyed]) -> set[str]:
    modules = code_version._reachable([step.__module__, *step.MODULES])
    return {name for module in modules for name in imported(code_version._source(module))}


def test_every_node_of_the_pipeline_has_its_code_and_libraries_in_its_key() -> None:
    assert len(STEPS) == 15
    assert [name for name, step in STEPS.items() if not issubclass(step, Keyed)] == []


@pytest.mark.parametrize("name", STEPS)
def test_the_libraries_are_installed_distributions(name: str) -> None:
    for distribution in STEPS[name].LIBRARIES:
        assert metadata.version(distribution)


@pytest.mark.parametrize("name", STEPS)
def test_what_is_imported_is_named_or_is_listed_here(name: str) -> None:
    here = DOES_NOT_DECIDE_HERE.get(name, {})
    found = reached(STEPS[name])
    needed = found - NEVER_DECIDES.keys() - here.keys()
    missing = {DISTRIBUTIONS.get(each, each) for each in needed} - set(STEPS[name].LIBRARIES)
    assert missing == set()
    assert here.keys() <= found, "an exception that is none any more"
