from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

import components.schema
from components.artifacts import features
from components.schema.component import ImportSchemaGen
from tests.components import made_step


def test_the_cache_key_has_the_content_of_the_schema(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = made_step.about_to_run(ImportSchemaGen)
    before = made_step.driven(info)
    monkeypatch.setattr("components.step.code_version._TREE", tree)
    assert made_step.driven(info) == before
    (tree / "components" / "schema" / "schema.pbtxt").write_text("feature {}")
    assert made_step.driven(info) != before


def test_the_schema_has_every_feature_but_names_and_counts_pixels_as_bytes() -> None:
    name = ImportSchemaGen().exec_properties["schema_file"]
    file = Path(components.schema.__path__[0], name)
    schema = text_format.Parse(file.read_text(), schema_pb2.Schema())
    by_name = {feature.name: feature for feature in schema.feature}
    assert set(by_name) == {
        *(features.ENCODED, features.FORMAT, features.HEIGHT, features.WIDTH),
        *(features.CHANNELS, features.ASPECT_RATIO, features.LABEL),
    }
    assert by_name[features.ENCODED].HasField("image_domain")
