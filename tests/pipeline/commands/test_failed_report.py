from __future__ import annotations

from pathlib import Path

from components.artifacts.types import ClassList, IngestReport, write
from pipeline import config
from pipeline.commands.failed_report import write_failed
from pipeline.store import outputs
from pipeline.store.runs import Node, Run
from tests.components.report.made_run import CLASSES, Page
from tests.components.report.made_run import run as made_run


def build(root: Path) -> config.Config:
    keys = {"data": {"source": "p"}, "push": {"directory": "s"}, "runtime": {"root": str(root)}}
    return config.build(keys)


def test_a_run_that_ended_early_has_a_page_with_the_reason_and_what_there_is(
    tmp_path: Path,
) -> None:
    made = {}
    for output, kind, content in (
        (outputs.CLASS_LIST, ClassList, CLASSES),
        (outputs.INGEST_REPORT, IngestReport, made_run().ingest),
    ):
        artifact = kind()
        artifact.uri = str(tmp_path / kind.TYPE_NAME)
        write(artifact, content)
        made[output] = artifact.mlmd_artifact
    nodes = {"ImageExampleGen": Node("ran", 3.0), "DataValidator": Node("failed", 1.0)}
    run = Run("run-1", {**nodes, "Trainer": Node("skipped", 0.0)}, made)
    path = write_failed(build(tmp_path), run, "DataValidator: class <gone> vanished")
    assert path == tmp_path / "failed" / "run-1" / "report.html"
    page = Page(path.read_text("utf-8"))
    assert page.heading == "Failed"
    assert "class <gone> vanished" in page.text
    assert [cells[0] for cells in page.table("Component")][:2] == list(nodes)
    assert page.table("Class")[0][:2] == ["apple", "80"]
    assert "Confusion matrix" not in page.text


def test_a_run_that_came_to_nothing_has_one_too(tmp_path: Path) -> None:
    path = write_failed(build(tmp_path), Run("run-1", {}, {}), "ImageExampleGen: no pictures")
    assert path is not None
    assert "no pictures" in path.read_text("utf-8")


def test_a_page_that_can_not_be_made_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "failed").write_text("in the way")
    assert write_failed(build(tmp_path), Run("run-1", {}, {}), "why") is None
