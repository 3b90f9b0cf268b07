"""No file stops the ingest, and what became of each can be told."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.artifacts.features import ENCODED, FILENAME, SPLITS
from components.image_example_gen.reading import read
from components.image_example_gen.sources import SourceFile
from components.model.network import build_network
from components.model.transform_graph import Pixels
from components.settings.data import Data, Splits
from components.settings.model import Head
from components.trainer.export import export
from serving.client.sources import Ready, prepare
from serving.pictures import canonical
from serving.saved_model_session import SavedModelSession
from tests.components.image_example_gen import damaged_corpus
from tests.components.image_example_gen.damaged_corpus import WHOLE
from tests.components.image_example_gen.made_ingest import Ingested, ingest

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's own, about damaged metadata


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damaged_corpus.make(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def ingested(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    data = Data(
        source=str(corpus),
        splits=Splits(train=1, eval=1, test=1),
        max_rejected_fraction=1.0,
        min_pictures=0,
    )
    return ingest(tmp_path_factory.mktemp("ingest"), data)


def written(found: Ingested) -> dict[str, bytes]:
    return {row[FILENAME]: row[ENCODED] for rows in found.examples.values() for row in rows}


def test_every_file_is_ingested_rejected_or_ignored_and_the_counts_add_up(
    corpus: Path, ingested: Ingested
) -> None:
    files = [os.path.join(folder, name) for folder, _, names in os.walk(corpus) for name in names]
    assert len(files) >= 300
    report = ingested.report
    accepted, rejected = written(ingested), {row["file"] for row in report["rejected"]}
    assert not accepted.keys() & rejected
    assert len(accepted) == sum(map(len, ingested.examples.values())) == report["accepted"]
    assert report["accepted"] + len(rejected) + report["ignored"] == len(files)
    assert report["ignored"] == 7
    assert sum(report["rejected_by_reason"].values()) == len(rejected)
    assert sum(report["rejected_by_class"].values()) == len(rejected)
    for split in SPLITS:
        assert sum(report["counts"][split].values()) == len(ingested.examples[split])


def test_all_whole_pictures_are_ingested(ingested: Ingested) -> None:
    stems = {Path(name).stem for name in written(ingested)}
    assert {name.replace(" ", "-") for name in WHOLE} <= stems


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("empty.jpg", "empty file"),
        ("text.png", "not a picture"),
        ("zeros.gif", "not a picture"),
        ("flat.png", "absurd side ratio"),
        ("high.jpg", "absurd side ratio"),
        ("bomb.png", "too many pixels"),
        ("bomb.bmp", "too many pixels"),
        ("nowhere.png", "can't be read: No such file"),
        ("itself.png", "can't be read: "),
        ("pipe.png", "can't be read: not a regular file"),
    ],
)
def test_what_is_wrong_is_told(ingested: Ingested, file: str, reason: str) -> None:
    reasons = {row["file"]: row["reason"] for row in ingested.report["rejected"]}
    assert reasons[f"left/{file}"].startswith(reason)


def test_whatever_was_ingested_can_be_decoded_by_the_graph(ingested: Ingested) -> None:
    for rows in ingested.examples.values():
        for row in rows:
            pixels = tf.io.decode_image(row[ENCODED], channels=3, expand_animations=False)
            assert pixels.shape == (row["image/height"], row["image/width"], 3), row[FILENAME]


def test_the_served_graph_answers_whatever_was_ingested(
    ingested: Ingested, transform_graph: str, tmp_path: Path
) -> None:
    pixels = Pixels(transform_graph)
    inputs = keras.Input((32, 32, 3))
    base = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    network = build_network(base, Head(), 2)
    export(network, pixels, "mobilenet", ["left", "right"], [], str(tmp_path / "1"))
    session = SavedModelSession(tmp_path / "1")
    for name, encoded in written(ingested).items():
        found = session.run("serving_default", {"inputs": np.array([encoded], object)}, ["scores"])
        assert found["scores"].shape == (1, 2), name


def test_the_client_sends_what_was_ingested_and_refuses_what_was_rejected(
    corpus: Path, ingested: Ingested
) -> None:
    accepted = written(ingested)
    for name, encoded in accepted.items():
        path = corpus / name
        if path.exists():  # not the one whose name is no UTF-8
            sent = prepare(path, 0)
            assert isinstance(sent, Ready) and sent.encoded == encoded, name
    for row in ingested.report["rejected"]:
        if row["file"] != "left/pipe.png":  # the client would wait for who writes into it
            assert not isinstance(prepare(corpus / row["file"], 0), Ready), row


@pytest.mark.parametrize("name", WHOLE)
def test_ingest_and_client_see_the_same_pixels(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{name.split()[0]}"
    path.write_bytes(WHOLE[name])
    accepted, _ = read(SourceFile(str(path), "a", "cats", 1, 1), Data(source="/x"))
    sent = prepare(path, 0)
    assert accepted is not None and isinstance(sent, Ready)
    assert accepted.picture.encoded == sent.encoded == canonical(WHOLE[name]).encoded
