"""A whole run that may write no further ends with 1, one sentence and a page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import made_pictures
from tests.checkout_tools import ROOT

_LIMIT = 2_000_000  # bytes a file: the metadata fits, a MobileNetV3Small does not
_COMMAND = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({_LIMIT}, {_LIMIT}))
from pipeline.cli import main
main()
"""
_SMALL = [
    "model.backbone=mobilenet_v3_small",
    "model.weights=null",
    "image.size=[32, 32]",
    "training.batch_size=8",
    "training.frozen.epochs=0",
    "training.unfrozen.epochs=1",
    "training.unfrozen.from_layer=0",
]


@pytest.mark.slow
def test_a_training_that_can_not_be_saved_ends_in_a_sentence(tmp_path: Path) -> None:
    made_pictures.make(tmp_path / "pictures", 30)
    words = [
        "run",
        "--data",
        str(tmp_path / "pictures"),
        "--root",
        str(tmp_path / "root"),
        "--json",
    ]
    words += [word for key in _SMALL for word in ("--set", key)]
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *words],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        text=True,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1, done.stderr
    assert result["verdict"] == "failed"
    assert result["error"].startswith("Trainer: Nothing more can be written (")
    assert f"size is reached, {_LIMIT:,} bytes for this process) to " in result["error"]
    assert " bytes are needed, " in result["error"] and " are free" in result["error"]
    assert "Raise RLIMIT_FSIZE" in result["error"]
    assert "Traceback" not in done.stderr
    assert Path(result["report"]).is_file()
    assert not list((tmp_path / "tmp").iterdir())
