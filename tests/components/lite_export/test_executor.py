"""Files for devices of a small MobileNet, run by the interpreter that devices have."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from tfx.types import standard_artifacts

from components.artifacts import saved_model
from components.artifacts import types as artifact_types
from components.lite_export.executor import Executor, LiteSettings
from components.model.network import build_network
from components.model.random_base import build_random_base
from components.model.transform_graph import Pixels, first_pictures
from components.settings.export import Export
from components.settings.model import Head
from components.trainer.export import export
from tests.components.made_step import execute

CLASSES = ["blau", "grün", "rot"]


@pytest.fixture(scope="module")
def inputs(
    tmp_path_factory: pytest.TempPathFactory, transform_graph: str, pixels: Pixels, split: str
) -> dict[str, Any]:
    """A candidate as the Trainer leaves it, with what it was made from."""
    folder = tmp_path_factory.mktemp("candidate")
    network = build_network(build_random_base("mobilenet", pixels, split, 0), Head(), 3)
    export(network, pixels, "mobilenet", CLASSES, [], saved_model.serving_dir(str(folder)))
    network.classifier.save(folder / "model.keras")
    model, graph = standard_artifacts.Model(), standard_artifacts.TransformGraph()
    model.uri, graph.uri = str(folder), transform_graph
    examples, class_list = standard_artifacts.Examples(), artifact_types.ClassList()
    examples.uri, class_list.uri = str(folder / "examples"), str(folder / "classes")
    examples.split_names = json.dumps(["train", "eval"])
    (folder / "examples").mkdir()
    for name in ("train", "eval"):
        os.symlink(split, folder / "examples" / f"Split-{name}")
    artifact_types.write(class_list, CLASSES)
    given = {"model": model, "transform_graph": graph, "examples": examples}
    return {key: [artifact] for key, artifact in {**given, "class_list": class_list}.items()}


def run(inputs: dict[str, Any], folder: Path, **settings: Any) -> dict[str, Any]:
    """Makes the files; gives the record."""
    made = artifact_types.LiteModel()
    made.uri = str(folder)
    chosen = Export.model_validate({"tflite": ["float16", "int8"], **settings})
    chosen = LiteSettings(backbone="mobilenet", export=chosen)
    execute(Executor(), chosen, inputs, {"lite_model": made})
    return artifact_types.read(made)


@pytest.fixture(scope="module")
def made(inputs: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    run(inputs, folder, check_pictures=20)
    return folder


def test_the_files_take_pixels_and_give_scores(made: Path) -> None:
    for kind in ("float16", "int8"):
        interpreter = Interpreter(str(made / f"model-{kind}.tflite"))
        assert interpreter.get_signature_list() == {
            "serving_default": {"inputs": ["image"], "outputs": ["scores"]}
        }
        [taken], [given] = interpreter.get_input_details(), interpreter.get_output_details()
        assert (taken["shape"].tolist(), taken["dtype"]) == ([1, 32, 32, 3], np.uint8)
        assert (given["shape"].tolist(), given["dtype"]) == ([1, 3], np.float32)


def test_the_files_carry_their_labels_and_say_that_pixels_need_no_scaling(made: Path) -> None:
    """MediaPipe's ImageClassifier 1.2.3 read such a file (docs/training.md); here its parts are."""
    for kind in ("float16", "int8"):
        file = made / f"model-{kind}.tflite"
        with zipfile.ZipFile(file) as archive:
            assert archive.read("labels.txt") == (made / "labels.txt").read_bytes()
        model = schema.Model.GetRootAs(file.read_bytes(), 0)
        model = schema.ModelT.InitFromObj(model)
        [entry] = [each for each in model.metadata if each.name == b"TFLITE_METADATA"]
        content = bytes(model.buffers[entry.buffer].data)
        assert content[4:8] == b"M001" and b"labels.txt" in content


def test_a_models_buffers_stay_aligned(made: Path) -> None:
    model = schema.Model.GetRootAs((made / "model-float16.tflite").read_bytes(), 0)
    buffers = [model.Buffers(at) for at in range(model.BuffersLength())]
    places = [each._tab.Vector(each._tab.Offset(4)) for each in buffers if each.DataLength() > 0]
    assert places and all(place % 16 == 0 for place in places)


def test_whoever_decodes_and_resizes_gets_the_saved_models_answers(
    made: Path, inputs: dict[str, Any], split: str
) -> None:
    served = tf.saved_model.load(saved_model.serving_dir(inputs["model"][0].uri))
    labels = (made / "labels.txt").read_text("utf-8").splitlines()
    for encoded in first_pictures(split, 8):
        answer = served.signatures["serving_default"](inputs=tf.constant([encoded]))
        expected = dict(zip(answer["classes"].numpy()[0], answer["scores"].numpy()[0], strict=True))
        resized = tf.image.resize(tf.io.decode_image(encoded, channels=3), [32, 32])
        picture = tf.saturate_cast(tf.round(resized), tf.uint8)[tf.newaxis]
        run_file = Interpreter(str(made / "model-float16.tflite")).get_signature_runner()
        [scores] = run_file(image=picture.numpy())["scores"]
        wanted = [expected[label.encode()] for label in labels]
        np.testing.assert_allclose(scores, wanted, atol=0.02)
        assert max(wanted) < 0.99  # the scores say something


def test_the_record_tells_how_close_they_come(made: Path) -> None:
    record = json.loads((made / "lite.json").read_text())
    assert record["input"] == [1, 32, 32, 3]
    rows = {row["file"]: row for row in record["files"]}
    assert list(rows) == ["model-float16.tflite", "model-int8.tflite"]
    for name, row in rows.items():
        assert row["bytes"] == (made / name).stat().st_size
        assert (row["pictures"], row["refused"]) == (20, "")
        assert row["agreement"] >= 0.95
        assert 0 < row["mean_score_difference"] < row["max_score_difference"] < 0.25
    assert rows["model-int8.tflite"]["bytes"] < 0.6 * rows["model-float16.tflite"]["bytes"]


def test_a_file_that_does_not_come_close_is_not_kept_and_the_record_says_why(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    settings = {"tflite": ["int8"], "max_score_difference": 1e-6, "check_pictures": 2}
    record = run(inputs, tmp_path, **settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.txt", "lite.json"]
    [row] = record["files"]
    assert "export.max_score_difference: 1e-06" in row["refused"]
