"""Nothing worse than what is served gets served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from serving import versions, withdrawal
from tests import made_pictures
from tests.e2e.conftest import SMALL, FirstRun
from tests.pipeline.store.made_metadata import store as metadata_store

_WEAK = [
    "training.frozen.epochs=1",
    "training.frozen.learning_rate=1e-9",
    "training.unfrozen.epochs=0",
]
_ANYTHING_GOES = [
    "gate.min_accuracy=0",
    "gate.min_class_recall=0",
    "gate.beats_majority_class=false",
]


def _regression(result: dict[str, Any]) -> dict[str, Any]:
    return next(row for row in result["gate"] if row["metric"] == "accuracy_vs_served")


def test_a_worse_model_is_refused_and_rollback_moves_the_baseline(
    first_run: FirstRun, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    settings = [f"push.directory={served}", *_ANYTHING_GOES]

    weak = first_run.run(*settings, *_WEAK)
    assert weak["verdict"] == "pushed"
    good = first_run.run(*settings)
    assert good["verdict"] == "pushed"
    assert good["metrics"]["accuracy"] > weak["metrics"]["accuracy"]

    worse = first_run.run(*settings, *_WEAK)
    assert worse["verdict"] == "refused"
    assert not _regression(worse)["passed"]
    assert versions.served(served) == served / str(good["pushed_version"])

    withdrawal.rollback(served, weak["pushed_version"])
    assert first_run.run(*settings, *_WEAK)["verdict"] == "unchanged"
    back = first_run.run(*settings)
    assert back["verdict"] == "refused"  # whoever withdrew it does not want it back
    assert [row["metric"] for row in back["gate"] if not row["passed"]] == ["withdrawn"]
    assert f"{weak['metrics']['accuracy']:.4f}" in _regression(back)["needed"]


def test_shuffled_labels_are_refused_with_the_reason_and_exit_code_1(tmp_path: Path) -> None:
    pictures = made_pictures.make(tmp_path / "pictures", 30)
    made_pictures.shuffle_labels(pictures)
    words = [f"--set={assignment}" for assignment in SMALL]
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "run", "--json"]
    command += ["--data", str(pictures), "--root", str(tmp_path / "root"), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["verdict"] == "refused"
    assert not all(row["passed"] for row in result["gate"])
    assert "refused by the gate: accuracy (overall)" in done.stderr
    assert versions.served(Path(result["model_dir"])) is None
    page = Path(result["report"]).read_text("utf-8")
    missed = [row for row in result["gate"] if not row["passed"]]
    assert f"It missed {len(missed)} of {len(result['gate'])} thresholds." in page

    blessed = subprocess.run([*command, "--bless", "trade fair"], capture_output=True, text=True)
    assert blessed.returncode == 0, blessed.stderr
    pushed = json.loads(blessed.stdout.splitlines()[-1])
    assert pushed["verdict"] == "pushed"
    assert [row for row in pushed["gate"] if not row["passed"]] == missed
    assert "Blessed in spite of the gate: trade fair" in blessed.stderr
    store = metadata_store(tmp_path / "root")
    reasons = [
        artifact.custom_properties["bless_reason"].string_value
        for artifact in store.get_artifacts_by_type("ModelBlessing")
    ]
    assert reasons == ["", "trade fair"]
