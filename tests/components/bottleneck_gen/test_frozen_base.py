from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from apache_beam.utils.shared import Shared

from components.artifacts import features
from components.artifacts.examples import PICTURE, Example, parse
from components.artifacts.tfrecords import read_records
from components.bottleneck_gen.frozen_base import GRAPH, RunBase, let_go
from components.bottleneck_gen.portions import portions
from components.errors import ConfigError
from components.files import parcel
from components.model.network import build_extractor
from components.model.random_base import build_random_base
from components.model.transform_graph import Pixels
from components.pretrained.base import build_base
from components.settings.model import Head, Model
from tests.explains import refused

MODEL = Model(backbone="mobilenet", weights=None)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, pixels: Pixels, split: str) -> Path:
    """A random base's weights, as the executor keeps them."""
    file = tmp_path_factory.mktemp("base") / "base.weights.h5"
    build_random_base("mobilenet", pixels, split, seed=0).save_weights(file)
    return file


@pytest.fixture(scope="module")
def step(transform_graph: str, weights: Path) -> RunBase:
    step = RunBase(transform_graph, MODEL, [32, 32], str(weights))
    step.setup()
    return step


def run(step: RunBase, batch: list[bytes]) -> list[Any]:
    """The features of each Example that the Beam step gives for a batch."""
    return [tf.train.Example.FromString(row).features.feature for row in step.rows([batch])]


def bottlenecks(found: list[Any]) -> np.ndarray:
    return np.array([feature[features.BOTTLENECK].float_list.value for feature in found])


@pytest.fixture(scope="module")
def records(split: str) -> list[bytes]:
    return list(read_records(split).take(5).as_numpy_iterator())


def test_it_gives_what_the_extractor_gives_and_keeps_the_label(
    step: RunBase, weights: Path, pixels: Pixels, records: list[bytes]
) -> None:
    found = run(step, records)
    extractor = build_extractor(build_base("mobilenet", [32, 32], weights), MODEL.head)
    parsed = parse(tf.constant(records), *PICTURE)
    expected = extractor(pixels(parsed[features.ENCODED]), training=False)
    assert expected.shape == (5, 1024)
    np.testing.assert_allclose(bottlenecks(found), expected, rtol=1e-4, atol=1e-5)
    labels = [feature[features.LABEL].bytes_list.value[0] for feature in found]
    assert labels == parsed[features.LABEL].numpy().tolist()
    names = [feature[features.FILENAME].bytes_list.value[0].decode() for feature in found]
    assert names == [Example(record).text(features.FILENAME) for record in records]


def test_a_head_with_squeeze_and_excitation_gets_the_whole_feature_map(
    transform_graph: str, weights: Path, pixels: Pixels, records: list[bytes]
) -> None:
    head = Head(squeeze_excitation=4)
    model = MODEL.model_copy(update={"head": head})
    step = RunBase(transform_graph, model, [32, 32], str(weights))
    step.setup()
    extractor = build_extractor(build_base("mobilenet", [32, 32], weights), head)
    parsed = parse(tf.constant(records), *PICTURE)
    expected = extractor(pixels(parsed[features.ENCODED]), training=False)
    assert expected.shape == (5, 1, 1, 1024)
    found = bottlenecks(run(step, records)).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_picture_has_the_same_features_in_any_batch(step: RunBase, records: list[bytes]) -> None:
    together, alone = run(step, records), run(step, records[2:3])
    np.testing.assert_allclose(bottlenecks(together)[2:3], bottlenecks(alone), rtol=1e-4, atol=1e-5)


def test_a_random_base_that_was_saved_gives_the_same_features_in_another_worker(
    transform_graph: str, weights: Path, step: RunBase, records: list[bytes]
) -> None:
    keras.utils.set_random_seed(5)
    worker = RunBase(transform_graph, MODEL, [32, 32], str(weights))
    worker.setup()
    np.testing.assert_array_equal(
        bottlenecks(run(worker, records)), bottlenecks(run(step, records))
    )


def test_a_missing_base_is_told(transform_graph: str, tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="model.weights: no file",
        allowed="an existing file or `imagenet`",
        next="Name",
    ):
        RunBase(transform_graph, MODEL, [32, 32], str(tmp_path / "none.weights.h5")).setup()


def test_a_portion_becomes_a_file_whose_rows_stand_in_its_order(
    step: RunBase, split: str, records: list[bytes], tmp_path: Path
) -> None:
    [portion] = portions(split, str(tmp_path / "bottlenecks"))
    portion = portion._replace(records=5)
    for _ in range(2):  # as a worker that retries it
        step.process(portion)
    assert [path.name for path in tmp_path.iterdir()] == ["bottlenecks-00000-of-00001.tfrecord"]
    found = list(read_records(str(tmp_path)).as_numpy_iterator())
    assert found == list(step.rows([records]))


def test_a_worker_that_reads_neither_graph_nor_weights_finds_them_in_the_parcel(
    transform_graph: str, weights: Path, step: RunBase, records: list[bytes], tmp_path: Path
) -> None:
    packed = parcel.pack({GRAPH: transform_graph, weights.name: str(weights)}, str(tmp_path))
    elsewhere = f"/on/another/machine/{weights.name}"
    worker = RunBase("/nowhere", MODEL, [32, 32], elsewhere, in_parcel=packed)
    worker.setup()
    np.testing.assert_array_equal(
        bottlenecks(run(worker, records)), bottlenecks(run(step, records))
    )


def test_a_killed_worker_leaves_nothing_among_the_features(
    transform_graph: str, weights: Path, split: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside, target = tmp_path / "unfinished", tmp_path / "Split-train"
    aside.mkdir(), target.mkdir()
    [portion] = portions(split, str(target / "bottlenecks"))
    worker = RunBase(transform_graph, MODEL, [32, 32], str(weights), unfinished=str(aside))

    def killed(batches: object) -> Iterator[bytes]:
        yield b"one row"
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "rows", killed)
    with pytest.raises(KeyboardInterrupt):
        worker.process(portion)
    assert list(target.iterdir()) == [] and len(list(aside.iterdir())) == 1


def test_half_precision_gives_features_close_to_single(
    transform_graph: str, weights: Path, step: RunBase, records: list[bytes]
) -> None:
    half = RunBase(transform_graph, MODEL, [32, 32], str(weights), "bfloat16")
    half.setup()
    found, expected = bottlenecks(run(half, records)), bottlenecks(run(step, records))
    assert not np.array_equal(found, expected)
    products = (found * expected).sum(axis=1)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert (products / lengths > 0.995).all()


def test_the_network_that_was_shared_last_can_be_let_go() -> None:
    class Network:
        pass

    shared = Shared()
    gone = weakref.ref(shared.acquire(Network))
    gc.collect()
    assert gone() is not None  # Beam keeps it for a next bundle
    let_go()
    gc.collect()
    assert gone() is None
