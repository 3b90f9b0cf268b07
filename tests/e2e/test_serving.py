"""The pushed model answers over gRPC as it does in this process, on the same pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet as pq

from components.artifacts import features, ledger_rows, score_facts
from components.artifacts.calibration import with_temperature
from pipeline.commands.evaluate import Request, evaluate
from pipeline.commands.watch import Request as WatchRequest
from pipeline.commands.watch import watch
from serving.client import Client, Recording
from serving.local_server.process import serving
from tests import made_pictures
from tests.e2e.conftest import FirstRun


@pytest.fixture(scope="module")
def test_pictures(first_run: FirstRun) -> list[Path]:
    ledger = first_run.output("ImageExampleGen", "ingest_report")
    rows = ledger_rows.read(str(ledger), ("file", "split"))
    return [first_run.pictures / row["file"] for row in rows if row.get("split") == "test"]


@pytest.fixture(scope="module")
def address(first_run: FirstRun) -> Iterator[str]:
    with serving(Path(first_run.result["model_dir"])) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with Client(address, name="classifier") as client:
        yield client


def _pixels(first_run: FirstRun, pictures: list[Path]) -> np.ndarray:
    import tensorflow as tf

    from components.model.transform_graph import Pixels

    graph = Pixels(str(first_run.output("Transform", "transform_graph")))
    return graph(tf.constant([path.read_bytes() for path in pictures])).numpy()


def test_answers_over_grpc_equal_the_keras_model(
    first_run: FirstRun, client: Client, test_pictures: list[Path]
) -> None:
    import keras

    folder = first_run.output("Trainer", "model")
    model = keras.models.load_model(folder / "model.keras")
    scores = model.predict(_pixels(first_run, test_pictures), verbose=0)
    expected = with_temperature(scores, score_facts.read(str(folder))["temperature"])
    for row, answer in zip(expected, client.classify(test_pictures), strict=True):
        served = dict(zip(answer.classes, answer.scores, strict=True))
        ordered = [served[name] for name in ("blue", "green", "red")]
        np.testing.assert_allclose(ordered, row, atol=1e-5)
        assert list(answer.scores) == sorted(answer.scores, reverse=True)


def test_the_gate_saw_the_same_scores(
    first_run: FirstRun, client: Client, test_pictures: list[Path]
) -> None:
    folder = first_run.output("Evaluator", "predictions")
    rows = [row for file in folder.glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    by_file = {row["file"]: row["candidate"] for row in rows}
    classes = json.loads((folder / "models.json").read_text())["candidate"]["classes"]
    assert classes == ["blue", "green", "red"]
    assert len(rows) == len(test_pictures)
    for path, answer in zip(test_pictures, client.classify(test_pictures), strict=True):
        judged = by_file[path.relative_to(first_run.pictures).as_posix()]
        scores = dict(zip(answer.classes, answer.scores, strict=True))
        np.testing.assert_allclose([scores[name] for name in classes], judged, atol=1e-5)


def test_a_session_of_stock_tensorflow_answers_as_the_client_does(
    first_run: FirstRun, client: Client, test_pictures: list[Path]
) -> None:
    """As Java, Go, C and TensorFlow Serving load what was pushed."""
    import tensorflow as tf

    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(first_run.pushed))
        signature = graph.signature_def["serving_default"]
        found = session.run(
            {alias: info.name for alias, info in signature.outputs.items()},
            {signature.inputs["inputs"].name: [path.read_bytes() for path in test_pictures]},
        )
    for classes, scores, answer in zip(
        found["classes"], found["scores"], client.classify(test_pictures), strict=True
    ):
        expected = dict(zip(answer.classes, answer.scores, strict=True))
        assert {name.decode() for name in classes} == expected.keys()
        ordered = [expected[name.decode()] for name in classes]
        np.testing.assert_allclose(scores, ordered, atol=1e-6)


def test_serve_examples_needs_the_picture_alone_and_keeps_the_class_order(
    first_run: FirstRun, test_pictures: list[Path]
) -> None:
    import tensorflow as tf

    from serving.saved_model_session import SavedModelSession

    encoded = tf.train.BytesList(value=[test_pictures[0].read_bytes()])
    feature = {features.ENCODED: tf.train.Feature(bytes_list=encoded)}
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    with SavedModelSession(first_run.pushed) as session:
        answer = session.run(
            "serve_examples", {"inputs": np.array([example.SerializeToString()], object)}
        )
    assert answer["classes"].tolist() == [[b"blue", b"green", b"red"]]
    assert answer["scores"].shape == (1, 3)


def test_bottlenecks_and_the_end_to_end_input_see_the_same_pixels(first_run: FirstRun) -> None:
    import tensorflow as tf

    from components.artifacts.tfrecords import read_records
    from components.fit.training_data import bottleneck_batches
    from components.model.network import build_extractor
    from components.model.transform_graph import Pixels, first_pictures
    from components.pretrained.base import build_base
    from components.settings.model import Head
    from components.trainer import input as trainer_input

    examples = first_run.output("ImageExampleGen", "examples") / "Split-eval"
    graph = Pixels(str(first_run.output("Transform", "transform_graph")))
    from_graph = graph(tf.constant(first_pictures(str(examples), 8))).numpy()
    classes = ["blue", "green", "red"]
    batches = trainer_input.picture_batches(read_records(str(examples)), graph, classes, 8)
    from_input, _ = next(batches.as_numpy_iterator())
    np.testing.assert_allclose(from_input, from_graph, atol=1e-6)

    bottlenecks = first_run.output("BottleneckGen", "bottlenecks")
    base = build_base("mobilenet", [32, 32], bottlenecks / "base.weights.h5")
    expected = build_extractor(base, Head()).predict(from_graph, verbose=0)
    cached = bottleneck_batches(read_records(str(bottlenecks / "Split-eval")), (1024,), classes, 8)
    stored, _ = next(cached.as_numpy_iterator())
    # Of two float32 vectors it is 1 but for 1e-6; bfloat16 rounds each number by 0.4 % at most.
    norms = np.linalg.norm(stored, axis=1) * np.linalg.norm(expected, axis=1)
    assert np.min(np.sum(stored * expected, axis=1) / norms) > 0.998


def test_evaluate_measures_a_server_as_it_measures_the_push_directory(
    first_run: FirstRun, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(**place: Any) -> dict[str, Any]:
        evaluate(Request(data=str(first_run.pictures), as_json=True, **place))
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    served = measured(server=address)
    here = measured(model_dir=Path(first_run.result["model_dir"]))
    assert served.pop("model") == f"classifier at {address}"
    here.pop("model")
    for each in (served, here):  # nearly equal scores may change places
        each["mistakes"].sort(key=lambda row: row["file"])
    scores = [[row.pop("score") for row in each["mistakes"]] for each in (served, here)]
    np.testing.assert_allclose(*scores, atol=1e-5)
    assert served == here
    assert served["pictures"] == len([*first_run.pictures.rglob("*.png")])


def test_what_is_asked_between_two_runs_is_compared_with_the_data_of_the_run(
    first_run: FirstRun, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alike = made_pictures.make(tmp_path / "alike", 40, seed=1)
    dark = made_pictures.make(tmp_path / "dark", 40, seed=2)
    for file in dark.rglob("*.png"):
        Image.open(file).point(lambda level: level // 4).save(file)

    def watched(pictures: Path) -> tuple[bool, dict[str, Any]]:
        files, records = sorted(pictures.rglob("*.png")), tmp_path / f"records of {pictures.name}"
        recording = Recording(records, every=1)
        with Client(address, name="classifier", record=recording) as client:
            assert len(client.classify(files)) == 120
        rows = [(hashlib.sha256(file.read_bytes()).hexdigest(), file.parent.name) for file in files]
        labels = tmp_path / f"{pictures.name}.csv"
        labels.write_text("\n".join(map(",".join, [("sha256", "label"), *rows])))
        asked = WatchRequest(records=records, root=first_run.root, labels=labels, as_json=True)
        fine = watch(asked)
        (first_run.root / "watch.json").unlink()
        [version] = json.loads(capsys.readouterr().out)["versions"]
        return fine, version

    fine, version = watched(alike)
    assert (fine, version["findings"], version["missing"]) == (True, [], None)
    assert (version["records"], version["version"]) == (120, first_run.result["pushed_version"])
    assert version["realised"]["accuracy"] > 0.9
    fine, version = watched(dark)
    assert not fine
    assert any("brightness" in finding for finding in version["findings"])
