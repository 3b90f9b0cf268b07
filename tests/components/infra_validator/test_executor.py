from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from tfx.components.util.model_utils import is_infra_validated
from tfx.types import Artifact, standard_artifacts

from components import features
from components.infra_validator import trial
from components.infra_validator.executor import Executor
from components.settings.push import Infra
from serving.client import Prediction
from tests.serving.samples import jpeg, png
from tests.serving.tiny_model import export

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
    Executor().Do(inputs, {"blessing": [blessing]}, {"infra": infra.model_dump_json()})
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


def test_a_model_whose_classify_differs_is_refused(
    inputs: dict[str, list[Artifact]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = trial._answers
    calls = []

    def other_at_second(outputs: dict[str, tf.Tensor]) -> list[Prediction]:
        calls.append(outputs)
        answers = own(outputs)
        if len(calls) == 2:  # what the model itself says to Examples
            answers = [Prediction(a.classes, tuple(s + 0.01 for s in a.scores)) for a in answers]
        return answers

    monkeypatch.setattr(trial, "_answers", other_at_second)
    blessing = validate(inputs, tmp_path)
    assert "from the server" in blessing.get_string_custom_property("reason")


def test_a_model_that_does_not_load_is_refused_with_the_reason(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    variables = tmp_path / "model" / "Format-Serving" / "variables"
    for file in variables.glob("variables.data*"):
        file.write_bytes(b"")
    blessing = validate(inputs, tmp_path)
    assert not is_infra_validated(blessing)
    reason = blessing.get_string_custom_property("reason")
    assert "does not load" in reason
    assert Path(blessing.uri, "reason.txt").read_text() == reason
    assert Path(blessing.uri, "INFRA_NOT_BLESSED").is_file()


def test_a_model_that_does_not_answer_pictures_is_refused_with_the_reason(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    class Adder(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
        def serving_default(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"sum": x + 1.0}

    other = Adder()
    target = str(tmp_path / "other" / "Format-Serving")
    tf.saved_model.save(other, target, signatures={"serving_default": other.serving_default})
    inputs["model"][0].uri = str(tmp_path / "other")
    blessing = validate(inputs, tmp_path)
    assert not is_infra_validated(blessing)
    assert "INVALID_ARGUMENT" in blessing.get_string_custom_property("reason")
