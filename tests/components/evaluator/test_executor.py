"""The Evaluator on models of a few operations, whose pictures are the names of their classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from tfx.types import Artifact, artifact_utils, standard_artifacts

from components.artifacts import features, saved_model, score_facts
from components.artifacts import types as artifact_types
from components.artifacts.predictions import read_from
from components.artifacts.record_counts import RecordsLost
from components.artifacts.saved_model_writer import write_saved_model
from components.errors import ConfigError
from components.evaluator import predict
from components.evaluator.executor import Executor
from components.evaluator.loaded_model import CannotPredict, LoadedModel
from components.settings.gate import Gate
from tests.components.made_step import execute

CLASSES = ["cat", "cow", "dog"]
BEAM = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
_STRINGS = [tf.TensorSpec([None], tf.string, "inputs")]


class Reader:
    """Scores 0.8 to the class that the picture's bytes name, if it knows it."""

    def __init__(self, classes: list[str], sees: bool = True):
        self.classes = tf.constant(classes)
        self.floor = keras.Variable(0.1, name="floor")
        self.sees = sees

    @tf.function(input_signature=_STRINGS)
    def serve_examples(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        spec = {features.ENCODED: tf.io.FixedLenFeature([], tf.string)}
        return self.answer(tf.io.parse_example(inputs, spec)[features.ENCODED])

    @tf.function(input_signature=_STRINGS)
    def serving_default(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        answer = self.answer(inputs)
        order = tf.argsort(answer["scores"], direction="DESCENDING")
        return {name: tf.gather(found, order, batch_dims=1) for name, found in answer.items()}

    def answer(self, encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        named = tf.cast(encoded[:, None] == self.classes[None, :], tf.float32)
        first = tf.one_hot(tf.zeros_like(encoded, tf.int32), len(self.classes))
        scores = self.floor + 0.7 * (named if self.sees else first)
        return {"classes": tf.tile(self.classes[None], [len(encoded), 1]), "scores": scores}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "inputs")])
    def other(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"logits": inputs}


def save(model: Reader, folder: Path, *signatures: str) -> Artifact:
    made = standard_artifacts.Model()
    made.uri = str(folder)
    named = {name: getattr(model, name) for name in signatures}
    write_saved_model(saved_model.serving_dir(made.uri), named, {"head_weights": [model.floor]})
    return made


def served(model: Artifact) -> Artifact:
    model.set_string_custom_property("served_version", "7")
    digest = saved_model.digest(saved_model.serving_dir(model.uri))
    model.set_string_custom_property("served_digest", digest)
    return model


def example(number: int, label: str) -> bytes:
    texts = {features.ENCODED: label, features.FILENAME: f"{number}.png", features.SHA256: "0"}
    texts |= {features.LABEL: label, features.COLUMNS: json.dumps({"site": f"s{number % 2}"})}
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
        for name, text in texts.items()
    }
    for name in (features.HEIGHT, features.WIDTH):
        feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[40]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, list[Artifact]]:
    """Eighteen test pictures, a candidate that is always right, no model served."""
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
    test = Path(examples.uri, "Split-test")
    test.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(test / "pictures.tfrecord")) as writer:
        for number in range(18):
            writer.write(example(number, CLASSES[number % 3]))
    candidate = save(Reader(CLASSES), tmp_path / "candidate", "serve_examples", "serving_default")
    none = standard_artifacts.Model()
    none.uri = str(tmp_path / "none")
    return {"examples": [examples], "model": [candidate], "baseline_model": [none]}


def evaluate(
    inputs: dict[str, list[Artifact]], folder: Path, **keys: Any
) -> tuple[dict[str, Any], dict[str, Artifact]]:
    """Returns the verdict and the outputs."""
    outputs = {
        "evaluation": standard_artifacts.ModelEvaluation(),
        "predictions": artifact_types.Predictions(),
        "verdict": artifact_types.GateVerdict(),
        "blessing": standard_artifacts.ModelBlessing(),
    }
    for name, made in outputs.items():
        made.uri = str(folder / name)
    context = Executor.Context(beam_pipeline_args=BEAM, tmp_dir=str(folder), unique_id="1")
    execute(Executor(context), Gate(**keys), inputs, outputs)
    return artifact_types.read(outputs["verdict"]), outputs


def test_a_first_run_is_judged_and_blessed(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    verdict, outputs = evaluate(inputs, tmp_path / "out", slices=["site"])
    assert verdict["verdict"] == "passed"
    assert "No model is served yet" in verdict["notes"][0]
    assert verdict["metrics"]["candidate"]["accuracy"] == 1.0
    assert [row["value"] for row in verdict["metrics"]["candidate"]["slices"]] == ["s0", "s1"]
    assert outputs["blessing"].get_int_custom_property("blessed") == 1
    assert Path(outputs["blessing"].uri, "BLESSED").is_file()
    predictions = read_from(outputs["predictions"].uri)
    assert predictions.classes == CLASSES
    assert predictions.scores["candidate"].max() == pytest.approx(0.8, abs=1e-7)


def test_a_worse_model_is_refused_unless_a_person_blesses_it(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    inputs["baseline_model"] = [served(inputs["model"][0])]
    inputs["model"] = [save(Reader(CLASSES, sees=False), tmp_path / "blind", "serve_examples")]
    free = {"min_accuracy": 0.0, "min_class_recall": 0.0, "beats_majority_class": False}
    verdict, outputs = evaluate(inputs, tmp_path / "out", **free)
    assert verdict["verdict"] == "refused"
    [missed] = [row for row in verdict["gate"] if not row["passed"]]
    assert missed["metric"] == "accuracy_vs_served"
    assert "0 of 18 pictures turned right, 12 wrong" in missed["needed"]
    assert outputs["blessing"].get_int_custom_property("blessed") == 0
    assert not outputs["blessing"].has_custom_property("bless_reason")

    verdict, outputs = evaluate(inputs, tmp_path / "blessed", **free, bless="trade fair")
    assert (verdict["verdict"], verdict["bless_reason"]) == ("blessed", "trade fair")
    assert outputs["blessing"].get_int_custom_property("blessed") == 1
    assert outputs["blessing"].get_string_custom_property("bless_reason") == "trade fair"


def test_a_served_model_with_other_classes_is_compared_on_what_both_know(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    baseline = save(Reader(["cow", "dog", "yak"]), tmp_path / "old", "serve_examples")
    inputs["baseline_model"] = [served(baseline)]
    verdict, _ = evaluate(inputs, tmp_path / "out")
    assert verdict["verdict"] == "passed"
    assert "does not know 'cat'" in verdict["notes"][0]
    row = verdict["gate"][-1]
    assert (row["metric"], row["slice"]) == ("accuracy_vs_served", "classes that both models know")
    assert verdict["metrics"]["baseline"]["accuracy"] == pytest.approx(12 / 18)


def test_a_served_model_that_can_not_be_asked_is_told_in_words(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    inputs["baseline_model"] = [served(save(Reader(CLASSES), tmp_path / "old", "other"))]
    verdict, _ = evaluate(inputs, tmp_path / "out")
    assert verdict["verdict"] == "refused"
    assert "neither the signature serve_examples nor serving_default" in verdict["notes"][0]
    assert "its signatures: other" in verdict["gate"][-1]["needed"]
    assert "baseline" not in verdict["metrics"]


def test_the_model_that_is_served_already_is_unchanged(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    inputs["baseline_model"] = [served(inputs["model"][0])]
    verdict, _ = evaluate(inputs, tmp_path / "out")
    assert verdict["verdict"] == "unchanged"
    assert "is the model served already, version 7" in verdict["notes"][0]


def test_a_model_without_serve_examples_is_asked_by_pictures(tmp_path: Path) -> None:
    made = save(Reader(["dog", "cat"]), tmp_path / "model", "serving_default")
    asked = LoadedModel(saved_model.serving_dir(made.uri))
    pictures = [example(0, "cat"), example(1, "dog")]
    assert asked.classes(pictures) == ["cat", "dog"]
    assert [max(scores, key=scores.__getitem__) for scores in asked.scores(pictures)] == [
        "cat",
        "dog",
    ]
    with pytest.raises(CannotPredict, match="can't be loaded"):
        LoadedModel(str(tmp_path / "nothing"))


FREE = {"min_accuracy": 0.0, "min_class_recall": 0.0, "beats_majority_class": False}


def keep(inputs: dict[str, list[Artifact]], **versions: Artifact) -> None:
    """Says that the push directory keeps these versions beside the served one."""
    kept = {
        name.removeprefix("version_"): {
            "folder": saved_model.serving_dir(model.uri),
            "digest": saved_model.digest(saved_model.serving_dir(model.uri)),
        }
        for name, model in versions.items()
    }
    baseline = inputs["baseline_model"][0]
    baseline.set_string_custom_property("kept_versions", json.dumps(kept))


@pytest.fixture
def worse_than_long_ago(inputs: dict[str, list[Artifact]], tmp_path: Path) -> Artifact:
    """A candidate as bad as the served model, and a perfect version from long ago: returned."""
    blind = Reader(CLASSES, sees=False)
    perfect = inputs["model"][0]
    inputs["model"] = [save(blind, tmp_path / "candidate now", "serve_examples")]
    other = Reader(CLASSES, sees=False)
    other.floor.assign(0.2)
    inputs["baseline_model"] = [served(save(other, tmp_path / "served", "serve_examples"))]
    return perfect


def test_a_candidate_is_held_against_the_best_version_that_is_kept(
    inputs: dict[str, list[Artifact]], tmp_path: Path, worse_than_long_ago: Artifact
) -> None:
    bad = Reader(CLASSES, sees=False)
    as_bad = save(bad, tmp_path / "as bad", "serve_examples")
    keep(inputs, version_5=as_bad, version_3=worse_than_long_ago)
    verdict, _ = evaluate(inputs, tmp_path / "out", **FREE)
    [missed] = [row for row in verdict["gate"] if not row["passed"]]
    assert missed["metric"] == "accuracy_vs_reference"
    assert "version 3, the best that is kept: 1.0000" in missed["needed"]
    verdict, _ = evaluate(inputs, tmp_path / "pinned", **FREE, reference=5)
    assert verdict["gate"][-1]["passed"] and "version 5" in verdict["gate"][-1]["needed"]
    verdict, _ = evaluate(inputs, tmp_path / "without", **FREE, reference=None)
    assert "accuracy_vs_reference" not in [row["metric"] for row in verdict["gate"]]


def test_where_the_served_model_is_the_best_there_is_no_second_comparison(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    as_good = Reader(CLASSES)
    as_good.floor.assign(0.2)
    inputs["baseline_model"] = [served(save(as_good, tmp_path / "served", "serve_examples"))]
    blind = save(Reader(CLASSES, sees=False), tmp_path / "blind", "serve_examples")
    keep(inputs, version_3=blind)
    verdict, _ = evaluate(inputs, tmp_path / "out")
    assert verdict["gate"][-1]["metric"] == "accuracy_vs_served"


def test_a_kept_version_that_can_not_be_asked_is_left_out_unless_it_is_named(
    inputs: dict[str, list[Artifact]], tmp_path: Path, worse_than_long_ago: Artifact
) -> None:
    keep(inputs, version_3=save(Reader(CLASSES), tmp_path / "other", "other"))
    verdict, _ = evaluate(inputs, tmp_path / "out", **FREE)
    assert verdict["gate"][-1]["metric"] == "accuracy_vs_served"
    verdict, _ = evaluate(inputs, tmp_path / "named", **FREE, reference=3)
    assert not verdict["gate"][-1]["passed"]
    assert "version 3, which can't be asked" in verdict["gate"][-1]["needed"]


def test_a_class_with_few_test_pictures_passes_with_a_note(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    test = Path(inputs["examples"][0].uri, "Split-test", "more.tfrecord")
    with tf.io.TFRecordWriter(str(test)) as writer:
        record = tf.train.Example.FromString(example(99, "dog"))
        record.features.feature[features.LABEL].bytes_list.value[0] = b"emu"
        writer.write(record.SerializeToString())
    inputs["model"] = [save(Reader([*CLASSES, "emu"]), tmp_path / "four", "serve_examples")]
    verdict, _ = evaluate(inputs, tmp_path / "out", min_class_precision=0.5)
    rows = {(row["metric"], row["slice"]): row for row in verdict["gate"]}
    assert rows["recall", "emu"]["needed"] == ">= 0.5, too few to tell (0 of 1)"
    assert rows["precision", "emu"]["needed"] == ">= 0.5, too few to tell (0 of 0)"
    assert verdict["verdict"] == "passed"
    [note] = [note for note in verdict["notes"] if "Too few test pictures" in note]
    assert "recall of emu (0 of 1), precision of emu (0 of 0)" in note
    strict, _ = evaluate(inputs, tmp_path / "strict", strict=True)
    assert [row["slice"] for row in strict["gate"] if not row["passed"]] == ["emu"]


def golden_set(folder: Path, *labels: str) -> list[Artifact]:
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
    Path(examples.uri, "Split-test").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "Split-test" / "pictures.tfrecord")) as writer:
        for number, label in enumerate(labels):
            writer.write(example(number, label))
    return [examples]


def test_a_golden_set_is_judged_beside_the_test_split(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    inputs["golden"] = golden_set(tmp_path / "golden", *["cat"] * 10, *["dog"] * 10)
    inputs["baseline_model"] = [served(inputs["model"][0])]
    inputs["model"] = [save(Reader(CLASSES, sees=False), tmp_path / "blind", "serve_examples")]
    verdict, _ = evaluate(inputs, tmp_path / "out", **{**FREE, "min_class_recall": 0.3})
    rows = {(row["metric"], row["slice"]): row for row in verdict["gate"]}
    assert rows["golden_accuracy", "overall"]["found"] == 0.5
    assert rows["golden_recall", "cat"]["passed"]
    assert not rows["golden_recall", "dog"]["passed"]
    assert not rows["golden_accuracy_vs_served", "overall"]["passed"]
    assert ("golden_recall", "cow") not in rows


def test_a_golden_set_with_a_class_that_the_data_has_not_is_refused(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    inputs["golden"] = golden_set(tmp_path / "golden", "cat", "emu")
    with pytest.raises(ConfigError, match="gate.golden: no class 'emu' in data.source"):
        evaluate(inputs, tmp_path / "out")


class Doubting(Reader):
    """Is certain of all but dogs."""

    @tf.function(input_signature=_STRINGS)
    def serving_default(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        answer = self.answer(inputs)
        order = tf.argsort(answer["scores"], direction="DESCENDING")
        found = {name: tf.gather(each, order, batch_dims=1) for name, each in answer.items()}
        length = tf.cast(tf.strings.length(inputs), tf.float32)
        return {**found, "certain": inputs != "dog", "distance": length}


def test_what_the_candidate_is_certain_of_is_kept_and_judged(
    inputs: dict[str, list[Artifact]], tmp_path: Path
) -> None:
    model = save(Doubting(CLASSES), tmp_path / "doubting", "serve_examples", "serving_default")
    score_facts.write(model.uri, {"temperature": 1.0, "certain": {"accuracy": 0.9}})
    verdict, outputs = evaluate(inputs | {"model": [model]}, tmp_path / "out")
    [row] = [row for row in verdict["gate"] if row["metric"] == "certain_accuracy"]
    share = 1 - CLASSES.count("dog") / 3
    assert row["found"] == 1 and f"answers {share:.1%} of the pictures at 100.0%" in row["needed"]
    found = read_from(outputs["predictions"].uri)
    named = [found.classes[label] != "dog" for label in found.labels]
    assert found.certain is not None and found.certain.tolist() == named
    lengths = [len(found.classes[label]) for label in found.labels]
    assert found.distances is not None and found.distances.tolist() == lengths
    assert verdict["metrics"]["candidate"]["accuracy"] == 1


@pytest.mark.parametrize(
    ("lost", "told"),
    [(5, "13 instead of 18 predictions .*: 5 were lost"), (18, "0 instead of 18 pre")],
)
def test_predictions_that_a_runner_loses_fail_the_run_with_both_numbers(
    inputs: dict[str, list[Artifact]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: int,
    told: str,
) -> None:
    files = [f"{number}.png" for number in range(lost)]
    monkeypatch.setattr(
        predict._Ask,
        "process",
        lambda self, element, whole=predict._Ask.process: (
            row for row in whole(self, element) if json.loads(row)["file"] not in files
        ),
    )
    with pytest.raises(RecordsLost, match=told):
        evaluate(inputs, tmp_path)
