"""Nothing heavy is imported before it is needed: `--help` has to answer at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from components.artifacts import packed_json
from tests.pipeline.store.made_metadata import record

ROOT = Path(__file__).resolve().parents[2]
_RARELY_NEEDED = {"tensorflow_model_analysis", "tensorflow_transform", "kubernetes"}
_OF_KERAS = {"matplotlib", "sklearn"}
_FOR_NOBODY = {"nltk", "keras_tuner", "googleapiclient.schema", "google.cloud.bigquery.client"}
HEAVY = {"tensorflow", "keras", "tf_keras", "tfx", "apache_beam", "ml_metadata", "numpy", "grpc"}


DEFERRED = """
from pipeline.launch import environment
environment.prepare()
with environment.heavy_imports():
    pass
"""


def imported_by(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has imported once it ran `code`."""
    report = "import sys, atexit; atexit.register(lambda: print('\\n', *sys.modules))\n"
    done = subprocess.run(
        [sys.executable, "-c", report + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = HEAVY | _RARELY_NEEDED | _OF_KERAS | _FOR_NOBODY
    return listed.intersection(done.stdout.splitlines()[-1].split())


def test_the_check_itself_sees_what_is_imported() -> None:
    assert imported_by("import numpy") == {"numpy"}


@pytest.mark.parametrize(
    "module",
    [
        "components.backbones",
        "components.settings.training",
        "components.step.code_version",
        "components.evaluator.gate",
        "components.image_example_gen.reading",
        "pipeline.config",
        "pipeline.cli",
        "pipeline.commands.run",
        "pipeline.commands.check",
    ],
)
def test_importing_it_imports_nothing_heavy(module: str) -> None:
    assert imported_by(f"import {module}") == set()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["classify", "--help"], []])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = f"import sys; sys.argv = ['transfer-pipeline', *{words!r}]\n"
    code += "import contextlib\nfrom pipeline.cli import main\n"
    code += "with contextlib.suppress(SystemExit): main()"
    assert imported_by(code) == set()


@pytest.mark.parametrize(
    "words",
    [
        *(["runs"], ["runs", "--page"], ["report"], ["compare", "latest", "latest"], ["versions"]),
        *(["doubts"], ["data", "diff", "latest", "latest"], ["clean"]),
    ],
)
def test_what_lists_runs_and_versions_imports_no_tensorflow(
    words: list[str], tmp_path: Path
) -> None:
    verdict = {"verdict": "passed", "gate": [], "metrics": {"candidate": {"accuracy": 0.9}}}
    ingest = {"accepted": 0, "fingerprint": "0"}
    documents = {"Report": {}, "GateVerdict": verdict, "IngestReport": ingest}
    record(tmp_path, "20261101-aaaa", documents)
    for place in ("Report/doubts.json.gz", "IngestReport/pictures.json.gz"):
        (tmp_path / "20261101-aaaa" / place).write_bytes(packed_json.packed([]))
    (tmp_path / "20261101-aaaa" / "Report" / "report.html").touch()
    (tmp_path / "17").mkdir()
    (tmp_path / "17" / "saved_model.pb").touch()
    words = [*words, "--model-dir" if words == ["versions"] else "--root", str(tmp_path)]
    code = f"import sys; sys.argv = ['transfer-pipeline', *{words!r}]\n"
    code += "from pipeline.cli import main\nmain()"
    columns = {"numpy"} if words[0] == "data" else set()  # two lists of all pictures
    assert imported_by(code) <= {"ml_metadata", "grpc"} | columns


def test_what_canary_asks_servers_with_imports_no_tensorflow() -> None:
    imported = imported_by("import serving.canary, serving.client, serving.reload")
    assert "tensorflow" not in imported and "keras" not in imported


def test_a_wrong_configuration_is_told_before_anything_heavy_is_imported() -> None:
    code = "import contextlib, sys\nfrom pipeline.cli import main\n"
    code += "sys.argv = ['transfer-pipeline', 'run', '--data', 'none', '--set', 'gate.x=1']\n"
    code += "with contextlib.suppress(SystemExit): main()"
    assert imported_by(code) == set()


def test_the_node_runner_imports_what_every_node_needs_and_no_more() -> None:
    imported = imported_by(DEFERRED + "import pipeline.node_runner")
    assert {"tensorflow", "tfx"} <= imported
    assert not imported & _RARELY_NEEDED


def test_a_run_imports_nothing_for_tunings_texts_and_googles_cloud() -> None:
    imported = imported_by(DEFERRED + "import pipeline.local_runner")
    assert "tensorflow_model_analysis" in imported
    assert not imported & _FOR_NOBODY
    asked = imported_by(DEFERRED + "import pipeline.local_runner\n" + _CLIENTS)
    assert {"googleapiclient.schema", "google.cloud.bigquery.client"} <= asked


_CLIENTS = """
from google.cloud import bigquery
from googleapiclient.discovery import build
assert bigquery.Client
"""


def test_keras_is_imported_without_what_it_draws_and_wraps_with() -> None:
    prepared = "from pipeline.launch import environment\nenvironment.prepare()\nimport keras\n"
    assert imported_by(prepared) & _OF_KERAS == set()
    asked = imported_by(
        prepared + "from keras.visualization import plot_image_gallery as plot\n"
        "assert keras.visualization.plot_image_gallery is plot"
    )
    assert "matplotlib" in asked


def test_a_deferred_package_is_imported_when_a_name_in_it_is_asked_for() -> None:
    assert "tensorflow_model_analysis" in imported_by(
        DEFERRED
        + "from tfx.components import Pusher; import tfx.components.pusher.component as c\n"
        "assert Pusher is c.Pusher"
    )


def test_the_garbage_collector_leaves_what_is_imported_alone_for_good() -> None:
    imported_by(
        "import gc\nfrom pipeline.launch import environment\n"
        "with environment.heavy_imports():\n"
        "    import numpy\n"
        "    assert not gc.isenabled()\n"
        "assert gc.isenabled() and gc.get_freeze_count() > len(vars(numpy))"
    )
