from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import pytest
import tensorflow as tf
from PIL import Image
from tfx.types import Artifact, standard_artifacts

from components.artifacts import features
from components.artifacts import types as artifact_types
from components.fit import tuned_settings
from components.report.executor import Executor, ReportSettings
from tests.components.made_step import execute
from tests.components.report.made_run import (
    CLASSES,
    Page,
    history,
    lite,
    models,
    prediction,
    row,
    run,
    trials,
)

COLOURS = {"apple/0.png": (220, 30, 30), "pear/0.png": (30, 200, 40), "pear/1.png": (250, 220, 0)}


def example(file: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), COLOURS[file]).save(content, "PNG")
    texts = {
        features.FILENAME: file.encode(),
        features.LABEL: file.split("/")[0].encode(),
        features.ENCODED: content.getvalue(),
    }
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in texts.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def artifact(kind: type[Artifact], folder: Path) -> Artifact:
    made = kind()
    made.uri = str(folder / kind.TYPE_NAME)
    Path(made.uri).mkdir()
    return made


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, list[Artifact]]:
    """A run with three test pictures, the second and the third taken for apples."""
    examples = artifact(standard_artifacts.Examples, tmp_path)
    examples.split_names = '["train", "eval", "test"]'
    for split in ("train", "test"):
        folder = Path(examples.uri, f"Split-{split}")
        folder.mkdir()
        with tf.io.TFRecordWriter(str(folder / "pictures-0.tfrecord")) as writer:
            for file in COLOURS:
                writer.write(example(file))
    predictions = artifact(artifact_types.Predictions, tmp_path)
    Path(predictions.uri, "models.json").write_text(json.dumps(models(CLASSES)))
    for number, file in enumerate(COLOURS):
        scores = {"apple": 0.5 + number / 10, "pear": 0.5 - number / 10, "quince": 0.0}
        path = Path(predictions.uri, f"predictions-{number}.jsonl")
        path.write_text(prediction(file, file.split("/")[0], scores) + "\n")
    model_run = artifact(standard_artifacts.ModelRun, tmp_path)
    Path(model_run.uri, "history.json").write_text(json.dumps(history(2, 2)))
    artifacts = {"examples": examples, "predictions": predictions, "model_run": model_run}
    made = run()
    gate = [row("accuracy", "overall", 1 / 3, ">= 0.3", True)]
    for name, kind, content in (
        ("class_list", artifact_types.ClassList, CLASSES),
        ("ingest_report", artifact_types.IngestReport, made.ingest),
        ("acceptance", artifact_types.DataAcceptance, made.acceptance),
        ("verdict", artifact_types.GateVerdict, made.verdict | {"verdict": "passed", "gate": gate}),
    ):
        artifacts[name] = artifact(kind, tmp_path)
        artifact_types.write(artifacts[name], content)
    return {name: [made] for name, made in artifacts.items()}


def page(inputs: dict[str, list[Artifact]], folder: Path) -> tuple[str, Page]:
    report = artifact_types.Report()
    report.uri = str(folder / "report")
    settings = ReportSettings(configuration=run().configuration)
    execute(Executor(), settings, inputs, {"report": report}, nodes="[]")
    html = Path(report.uri, "report.html").read_text("utf-8")
    return html, Page(html)


def test_the_page_is_made_of_what_the_run_left(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    html, made = page(inputs, tmp_path)
    assert made.heading == "Passed"
    assert [cells[0] for cells in made.table("Class")] == [*CLASSES, "Mean"]
    mistakes = html.split('<section id="mistakes">')[1].split("</section>")[0]
    shown = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="([^:]+):', mistakes)
    assert [file for _, file in shown] == ["pear/1.png", "pear/0.png"]
    for encoded, file in shown:
        pixel = Image.open(io.BytesIO(base64.b64decode(encoded))).getpixel((20, 15))
        assert pixel == pytest.approx(COLOURS[file], abs=6)


def test_it_names_the_version_that_was_pushed(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    pushed = artifact(standard_artifacts.PushedModel, tmp_path)
    pushed.set_int_custom_property("pushed", 1)
    pushed.set_string_custom_property("pushed_version", "1795314091")
    _, made = page(inputs | {"pushed_model": [pushed]}, tmp_path)
    assert made.heading == "Pushed"
    assert "version 1795314091" in made.text


def test_the_card_and_the_figures_for_programs_lie_beside_it(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    infra = artifact(standard_artifacts.InfraBlessing, tmp_path)
    infra.set_int_custom_property("blessed", 0)
    infra.set_string_custom_property("reason", "it crashed")
    _, made = page(inputs | {"infra_blessing": [infra]}, tmp_path)
    folder = tmp_path / "report"
    verdict = json.loads((folder / "verdict.json").read_text("utf-8"))
    assert [row["metric"] for row in verdict["gate"]] == ["accuracy", "servable"]
    assert [cells[0] for cells in made.table("Metric")] == ["accuracy", "servable"]
    assert "it crashed" in verdict["gate"][1]["needed"]
    assert verdict["pushed_version"] is None
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["confusion"] == [[1, 0, 0], [2, 0, 0], [0, 0, 0]]
    assert metrics["candidate"]["log_loss"] == 0.7
    assert "# Model card: fruit" in (folder / "model_card.md").read_text("utf-8")


def test_samples_are_of_every_class(inputs: dict[str, list[Artifact]], tmp_path: Path) -> None:
    _, made = page(inputs, tmp_path)
    alts = [attributes["alt"] for tag, attributes in made.tags if tag == "img"]
    assert {"apple: apple/0.png", "pear: pear/1.png"} <= set(alts)


def test_a_sheet_of_augmented_pictures_is_shown_where_there_is_one(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    sheet = io.BytesIO()
    Image.new("RGB", (40, 30)).save(sheet, "PNG")
    Path(inputs["model_run"][0].uri, "augmented.png").write_bytes(sheet.getvalue())
    _, made = page(inputs, tmp_path)
    assert "Augmented training pictures" in made.text
    assert f"tensorboard --logdir {inputs['model_run'][0].uri}" in made.text


def test_what_the_tuner_tried_is_shown_where_it_ran(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    results = artifact(standard_artifacts.TunerResults, tmp_path)
    Path(results.uri, tuned_settings.TRIALS).write_text(json.dumps(trials()))
    _, made = page(inputs | {"tuner_results": [results]}, tmp_path)
    assert len(made.table("Trial")) == 3


def test_the_files_for_devices_are_shown_where_there_are_any(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    made_files = artifact(artifact_types.LiteModel, tmp_path)
    artifact_types.write(made_files, {key: lite()[key] for key in ("input", "files")})
    _, made = page(inputs | {"lite_model": [made_files]}, tmp_path)
    assert len(made.table("For devices")) == 2
    assert made_files.uri in made.text
