from __future__ import annotations

import hashlib
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

import components.schema
from components.artifacts import features
from components.schema.component import Driver, ImportSchemaGen


def test_the_cache_key_has_the_content_of_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "schema.pbtxt"
    file.write_text("feature {}")
    found = Driver(None).facts({"schema_file": str(file)})
    assert found == {"schema_sha256": hashlib.sha256(b"feature {}").hexdigest()}


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
