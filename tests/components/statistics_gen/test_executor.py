from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.statistics_gen.executor import of_pictures
from tests.components.made_artifacts import SCHEMA


@pytest.fixture(scope="module")
def schema() -> schema_pb2.Schema:
    return text_format.Parse(SCHEMA.read_text(), schema_pb2.Schema())


@pytest.fixture(scope="module")
def counted(split: str, schema: schema_pb2.Schema) -> statistics_pb2.DatasetFeatureStatisticsList:
    return of_pictures(split, schema)


def of(counted: statistics_pb2.DatasetFeatureStatisticsList) -> dict:
    return {feature.path.step[0]: feature for feature in counted.datasets[0].features}


def test_what_the_schema_names_is_counted_and_nothing_else(counted, schema) -> None:
    assert counted.datasets[0].num_examples == 24
    assert set(of(counted)) == {feature.name for feature in schema.feature}
    assert not {"image/filename", "image/sha256"} & set(of(counted))


def test_labels_sizes_and_aspect_ratios_are_those_of_the_pictures(counted) -> None:
    features = of(counted)
    ranks = features["image/label"].string_stats.rank_histogram.buckets
    assert {bucket.label: bucket.sample_count for bucket in ranks} == {
        "blue": 8,
        "green": 8,
        "red": 8,
    }
    width, ratio = (features[f"image/{name}"].num_stats for name in ("width", "aspect_ratio"))
    assert (width.min, width.max) == (40, 46)
    assert (ratio.min, ratio.max) == pytest.approx((1.0, 46 / 40))


def test_of_the_pixels_only_the_number_of_bytes_is_known(counted, split: str) -> None:
    encoded = of(counted)["image/encoded"]
    assert encoded.WhichOneof("stats") == "bytes_stats"
    assert encoded.bytes_stats.common_stats.num_non_missing == 24
    written = sum(path.stat().st_size for path in Path(split).iterdir())
    assert 0 < encoded.bytes_stats.avg_num_bytes * 24 < written
    assert counted.ByteSize() < 10_000


def test_the_schema_finds_nothing_wrong_with_what_the_ingest_writes(counted, schema) -> None:
    assert not tfdv.validate_statistics(counted, schema).anomaly_info


def test_the_schema_finds_a_format_that_it_does_not_know(counted, schema) -> None:
    strict = schema_pb2.Schema()
    strict.CopyFrom(schema)
    domain = next(f for f in strict.feature if f.name == "image/format").string_domain
    domain.value.remove("png")
    found = tfdv.validate_statistics(counted, strict).anomaly_info
    assert list(found) == ["image/format"]
