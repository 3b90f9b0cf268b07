from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf

from components.artifacts import features, tfrecords
from components.image_example_gen import ingest, reading, sources
from components.settings.data import Data
from tests import made_pictures


def test_a_manifests_further_columns_stand_in_the_example(tmp_path: Path) -> None:
    data = Data(source=str(made_pictures.make(tmp_path / "pictures", 3)))
    file = sources.scan(data).files[0]
    accepted, _ = reading.read(file, data)
    assert accepted is not None

    def columns(of: sources.SourceFile) -> list[bytes]:
        example = tf.train.Example.FromString(ingest.example(of, accepted))
        return list(example.features.feature[features.COLUMNS].bytes_list.value)

    assert columns(file) == []
    [found] = columns(dataclasses.replace(file, columns=(("site", "Süd"), ("camera", "C 1"))))
    assert json.loads(found) == {"site": "Süd", "camera": "C 1"}


def test_a_label_that_a_person_confirmed_is_sure(tmp_path: Path) -> None:
    made_pictures.make(tmp_path / "pictures", 3)
    names = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("pictures/*/*.png"))
    table, corrections = tmp_path / "m.csv", tmp_path / "corrections.csv"
    rows = "".join(f"{name},{name.parent.name},0.3\n" for name in names)
    table.write_text(f"path,label,sure\n{rows}")
    confirmed, other = names[:2]
    corrections.write_text(f"path,label\n{confirmed},{confirmed.parent.name}\n")
    data = Data(source=str(table), corrections=str(corrections), label_probability="sure")
    listing = sources.scan(data)
    with beam.Pipeline() as pipeline:
        ingest.ingest(
            pipeline, listing.files, data, str(tmp_path / "out"), corrections=listing.corrections
        )
    found = {}
    for path in tmp_path.glob("out/examples-*"):
        with path.open("rb") as file:
            for record in tfrecords.records(file):
                feature = tf.train.Example.FromString(record.data).features.feature
                [name] = feature[features.FILENAME].bytes_list.value
                found[name.decode()] = list(feature[features.LABEL_PROBABILITY].float_list.value)
    assert found[str(confirmed)] == [] and found[str(other)] == pytest.approx([0.3])
