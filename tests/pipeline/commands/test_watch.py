from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands import runs_page
from pipeline.store import outputs
from serving.recording.framing import framed
from tests.pipeline.commands.test_watch_compare import CLASSES, scores, served
from tests.pipeline.conftest import Say
from tests.pipeline.store import made_metadata

RUN = "20261101-aaaa"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run that pushed version 1: right about 85 of 100 test pictures."""
    from components.image_example_gen.quality_report import _distributions
    from tests.pipeline.commands.test_watch_compare import table

    made = tmp_path / "runs"
    made.mkdir()
    known = made_metadata.store(made)
    ingest = {"accepted": 2_000, "quality": {"distributions": _distributions(table(2_000, 0))}}
    folder = made / RUN / "Predictions"
    folder.mkdir(parents=True)
    models = {"candidate": {"classes": list(CLASSES)}, "baseline": None}
    (folder / "models.json").write_text(json.dumps(models))
    rows = []
    for at, score in enumerate(np.maximum(scores(400, 1), 0.501).tolist()):
        best = at % 2
        label = CLASSES[best if at % 100 < 85 else 1 - best]
        pair = [score, 1 - score] if best == 0 else [1 - score, score]
        facts = {"height": 200, "width": 300, "columns": {}, "sha256": f"{at:064x}"}
        rows.append(json.dumps({"file": f"{at:03}", "label": label, "candidate": pair, **facts}))
    (folder / "predictions-00000.jsonl").write_text("".join(f"{row}\n" for row in rows))
    made_metadata.execute(known, RUN, outputs.PREDICTIONS, "Predictions", folder)
    made_metadata.record(made, RUN, {"IngestReport": ingest}, pushed="1", known=known)
    return made


def kept(folder: Path, **changes: object) -> Path:
    """A folder of 200 records of today."""
    import time

    folder.mkdir()
    now = int(1000 * time.time())
    found = served(200, 20, **{"milliseconds": now, **changes})  # type: ignore[arg-type]
    (folder / "served-a.tfrecord").write_bytes(b"".join(framed(each.encoded()) for each in found))
    return folder


def test_what_is_alike_ends_with_0_and_what_is_not_with_1(
    root: Path, tmp_path: Path, say: Say
) -> None:
    code, out, _ = say("watch", "--records", kept(tmp_path / "alike"), "--root", root)
    assert (code, out.splitlines()[-1]) == (0, "0 findings.")
    assert "version 1: 200 pictures" in out
    dark = kept(tmp_path / "dark", brightness=20.0)
    code, out, _ = say("watch", "--records", dark, "--root", root, "--json")
    found = json.loads(out)
    assert code == 1 and found["findings"] == 1
    assert found["versions"][0]["run_id"] == RUN
    assert found["versions"][0]["findings"][0].startswith("brightness")
    assert "brightness" in runs_page.render("runs", [], watched=runs_page._watched(root))


def test_labels_by_sha256_are_read(root: Path, tmp_path: Path, say: Say) -> None:
    labels = tmp_path / "labels.csv"
    rows = "".join(f"{at:064X},{CLASSES[0]}\n" for at in range(60))
    labels.write_text("sha256,label\n" + rows)
    folder = kept(tmp_path / "a", classes=(CLASSES[0],))
    _, out, _ = say("watch", "--records", folder, "--root", root, "--labels", labels)
    assert "realised accuracy 1.000" in out and "60 labelled pictures" in out
    labels.write_text("file,label\n")
    code, _, err = say("watch", "--records", folder, "--root", root, "--labels", labels)
    assert code == 2 and "needs sha256 and label" in err


def test_a_version_that_no_run_pushed_is_told(root: Path, tmp_path: Path, say: Say) -> None:
    folder = kept(tmp_path / "other", version=9)
    code, out, _ = say("watch", "--records", folder, "--root", root)
    assert code == 0 and "no run of this root pushed it" in out


def test_without_records_it_says_who_keeps_them(root: Path, tmp_path: Path, say: Say) -> None:
    (tmp_path / "empty").mkdir()
    code, _, err = say("watch", "--records", tmp_path / "empty", "--root", root)
    assert code == 2 and "no records of the last 7 days" in err and "serve --record" in err
    code, _, err = say("watch", "--records", tmp_path / "none", "--root", root)
    assert code == 2 and "there is no folder" in err and "serve --record" in err
    old = kept(tmp_path / "old", milliseconds=1_000)
    assert say("watch", "--records", old, "--root", root)[0] == 2


def test_a_file_that_is_cut_off_is_noted(root: Path, tmp_path: Path, say: Say) -> None:
    folder = kept(tmp_path / "cut")
    [file] = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    code, out, _ = say("watch", "--records", folder, "--root", root)
    assert code == 0 and "199 pictures" in out and "cut off" in out
