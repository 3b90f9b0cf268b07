from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from tfx.components.util.model_utils import is_infra_validated
from tfx.types import Artifact, standard_artifacts

from components.artifacts import export_record, features, network_answers
from components.artifacts.saved_model_writer import write_saved_model
from components.infra_validator import trial
from components.infra_validator.executor import Executor, InfraSettings
from components.settings.export import Export
from components.settings.push import Infra
from tests.components.made_step import execute
from tests.serving.samples import jpeg, png
from tests.serving.tiny_model import CLASSES, Colours, add_warmup, export, predict_request

ANY = Infra()


def example(picture: bytes) -> bytes:
    values = {features.ENCODED: picture, features.LABEL: b"red"}
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, list[Artifact]]:
    """The tiny model as a candidate, and two pictures."""
    examples, model = standard_artifacts.Examples(), standard_artifacts.Model()
    examples.uri, model.uri = str(tmp_path / "examples"), str(tmp_path / "model")
    examples.split_names = '["train", "eval", "test"]'
    split = tmp_path / "examples" / "Split-eval"
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "pictures-0.tfrecord")) as writer:
        for picture in (jpeg(), png()):
            writer.write(example(picture))
    export(tmp_path / "model" / "Format-Serving")
    return {"examples": [examples], "model": [model]}


def validate(inputs: dict[str, list[Artifact]], folder: Path, infra: Infra = ANY) -> Artifact:
    blessing = standard_artifacts.InfraBlessing()
    blessing.uri = str(folder / "blessing")
    execute(Executor(), infra, inputs, {"blessing": blessing})
    return blessing


def test_a_model_that_a_server_serves_as_it_is_is_blessed(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    blessing = validate(inputs, tmp_path)
    assert is_infra_validated(blessing)
    assert [path.name for path in Path(blessing.uri).iterdir()] == ["INFRA_BLESSED"]


def test_a_model_that_answers_too_late_is_refused_with_the_figure(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    blessing = validate(inputs, tmp_path, Infra(max_latency_ms=0.001))
    assert not is_infra_validated(blessing)
    reason = blessing.get_string_custom_property("reason")
    assert "ms, infra.max_latency_ms allows 0.001 ms" in reason
    assert is_infra_validated(validate(inputs, tmp_path / "again", Infra(max_latency_ms=60000.0)))


def test_a_model_that_answers_as_the_network_did_in_memory_is_blessed(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    write_answers(inputs["model"][0].uri, difference=0.0)
    assert is_infra_validated(validate(inputs, tmp_path))


def test_a_model_that_answers_otherwise_than_the_network_in_memory_is_refused(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    write_answers(inputs["model"][0].uri, difference=0.001)
    reason = validate(inputs, tmp_path).get_string_custom_property("reason")
    assert reason.startswith("Picture 1: the score of")
    assert "from a session and" in reason


def test_less_precision_may_differ_more_from_the_network_in_memory(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    model = inputs["model"][0].uri
    write_answers(model, difference=0.05)
    export_record.write(model, {"precision": "bfloat16", "agreement": 1.0, "pictures": 2})
    assert is_infra_validated(validate(inputs, tmp_path))
    write_answers(model, difference=0.2)
    assert not is_infra_validated(validate(inputs, tmp_path / "again"))


def test_less_precision_that_agrees_too_little_is_refused_with_the_key(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    record = {"precision": "bfloat16", "agreement": 0.9, "pictures": 200}
    export_record.write(inputs["model"][0].uri, record)
    settings = InfraSettings.of(ANY, Export(min_agreement=0.99))
    reason = validate(inputs, tmp_path, settings).get_string_custom_property("reason")
    assert "for 90.0% of 200 pictures of eval (export.min_agreement: 99.0%)" in reason
    allowing = InfraSettings.of(ANY, Export(min_agreement=0.9))
    assert is_infra_validated(validate(inputs, tmp_path / "again", allowing))


def write_answers(model: str, difference: float) -> None:
    """Keeps what the tiny model answers in memory, and a little more, as the Trainer's."""
    scores = Colours().scores(tf.constant([jpeg(), png()])).numpy()
    network_answers.write(model, CLASSES, scores + difference)


def test_a_model_that_does_not_load_is_refused_with_the_reason(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    variables = tmp_path / "model" / "Format-Serving" / "variables"
    for file in variables.glob("variables.data*"):
        file.write_bytes(b"")
    blessing = validate(inputs, tmp_path)
    assert not is_infra_validated(blessing)
    reason = blessing.get_string_custom_property("reason")
    assert reason.startswith("No session can serve it, so TensorFlow Serving can't: ")
    assert "RestoreV2" in reason
    assert Path(blessing.uri, "reason.txt").read_text() == reason
    assert Path(blessing.uri, "INFRA_NOT_BLESSED").is_file()


def test_a_model_that_does_not_answer_pictures_is_refused_with_the_reason(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    spec = tf.TensorSpec([], tf.float32, "x")
    add = tf.function(lambda x: {"sum": x + 1.0}, input_signature=[spec])
    write_saved_model(str(tmp_path / "other" / "Format-Serving"), {"serving_default": add}, {})
    inputs["model"][0].uri = str(tmp_path / "other")
    blessing = validate(inputs, tmp_path)
    assert not is_infra_validated(blessing)
    assert "the signatures serving_default and serve_examples" in (
        blessing.get_string_custom_property("reason")
    )


def test_a_model_that_only_the_object_graph_serves_is_refused_before_any_server_starts(
    inputs: dict[str, list[Artifact]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Keras' own variables are saved: `tf.saved_model.load` answers, a session can't."""
    colours, module = Colours(), tf.Module()
    module.weights = [colours.bias]
    signatures = {name: getattr(colours, name) for name in ("serving_default", "serve_examples")}
    target = str(tmp_path / "other" / "Format-Serving")
    tf.saved_model.save(module, target, signatures=signatures)
    loaded = tf.saved_model.load(target).signatures["serving_default"]
    assert loaded(tf.constant([jpeg()]))["scores"].shape == (1, 3)
    monkeypatch.setattr(trial, "serving", None)
    inputs["model"][0].uri = str(tmp_path / "other")
    reason = validate(inputs, tmp_path).get_string_custom_property("reason")
    assert "FAILED_PRECONDITION: Could not find variable" in reason


def test_a_model_whose_warm_up_fails_is_refused(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    add_warmup(Path(inputs["model"][0].uri, "Format-Serving"), predict_request([b"no picture"]))
    reason = validate(inputs, tmp_path).get_string_custom_property("reason")
    assert "INVALID_ARGUMENT: Unknown image file format" in reason
