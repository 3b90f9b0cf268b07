from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import tensorflow as tf

from components.artifacts import features
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
