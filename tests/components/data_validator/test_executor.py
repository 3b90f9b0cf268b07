from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.types import Artifact, standard_artifacts

from components.artifacts import features, known_pictures
from components.artifacts import types as artifact_types
from components.artifacts.known_pictures import Picture
from components.data_validator.executor import Executor
from components.errors import DataError
from components.settings.data import Validation
from components.statistics_gen.executor import of_pictures
from components.step.previous import PREVIOUS, QUESTION
from tests.components.made_artifacts import SCHEMA
from tests.components.made_step import execute
from tests.explains import refused

Inputs = dict[str, list[Artifact]]
COUNTS = {split: {"blue": 8, "green": 8, "red": 8} for split in features.SPLITS}


def artifact(kind: type[Artifact], folder: Path) -> Artifact:
    made = kind()
    made.uri = str(folder / kind.TYPE_NAME)
    if "split_names" in (kind.PROPERTIES or {}):
        made.split_names = '["train", "eval", "test"]'
    return made


@pytest.fixture
def inputs(tmp_path: Path, split: str) -> Inputs:
    """The same pictures in every split, and nothing wrong with them."""
    schema = text_format.Parse(SCHEMA.read_text(), schema_pb2.Schema())
    counted = of_pictures(split, schema).SerializeToString()
    examples = artifact(standard_artifacts.Examples, tmp_path)
    statistics = artifact(standard_artifacts.ExampleStatistics, tmp_path)
    anomalies = artifact(standard_artifacts.ExampleAnomalies, tmp_path)
    for name in features.SPLITS:
        for folder in (statistics.uri, anomalies.uri):
            Path(folder, f"Split-{name}").mkdir(parents=True)
        Path(statistics.uri, f"Split-{name}", "FeatureStats.pb").write_bytes(counted)
        Path(anomalies.uri, f"Split-{name}", "SchemaDiff.pb").touch()
    Path(examples.uri).mkdir()
    for name in features.SPLITS:
        Path(examples.uri, f"Split-{name}").symlink_to(split)
    report = artifact(artifact_types.IngestReport, tmp_path)
    artifact_types.write(report, {"counts": COUNTS})
    return {
        "examples": [examples],
        "statistics": [statistics],
        "anomalies": [anomalies],
        "ingest_report": [report],
    }


def validate(inputs: Inputs, folder: Path, previous: str = "", **rules: object) -> Artifact:
    acceptance = artifact_types.DataAcceptance()
    acceptance.uri = str(folder)
    found = {QUESTION: "a question", PREVIOUS: previous}
    execute(Executor(), Validation(**rules), inputs, {"acceptance": acceptance}, **found)
    return acceptance


def test_the_first_data_is_accepted_with_its_counts(inputs: Inputs, tmp_path: Path) -> None:
    acceptance = validate(inputs, tmp_path / "first")
    found = artifact_types.read(acceptance)
    assert found["counts"] == {"blue": 24, "green": 24, "red": 24}
    assert (found["compared_with"], found["findings"]) == (None, [])
    assert acceptance.get_string_custom_property(QUESTION) == "a question"


def keep(inputs: Inputs, **classes: range) -> None:
    """Writes these numbered pictures beside the ingest report, and their counts into it."""
    [report] = inputs["ingest_report"]
    counts = {"train": {label: len(numbers) for label, numbers in classes.items()}}
    artifact_types.write(report, {"counts": counts})
    made = [Picture(f"{n}.png", label, str(n)) for label, ns in classes.items() for n in ns]
    known_pictures.write(report.uri, made)


def test_relabelled_added_and_gone_pictures_and_renamed_classes_are_findings(
    inputs: Inputs, tmp_path: Path
) -> None:
    keep(inputs, a=range(50), b=range(50, 100))
    first = validate(inputs, tmp_path / "first")
    assert artifact_types.read(first)["changes"] is None
    keep(inputs, A=range(50), b=range(53, 110))
    second = artifact_types.read(validate(inputs, tmp_path / "second", previous=first.uri))
    named, counted = [finding["text"] for finding in second["findings"]]
    assert named == "Class 'a' is called 'A' now, by its pictures."  # and none has vanished
    assert counted.startswith("0 relabelled, 10 added, 3 gone since the data accepted on 20")
    assert second["former_names"] == {"A": ["a"]}
    keep(inputs, A=[*range(50), 60], b=[*range(53, 60), *range(61, 110)])
    third = validate(inputs, tmp_path / "third", previous=str(tmp_path / "second"))
    found = artifact_types.read(third)
    assert found["findings"][0]["text"].startswith("1 relabelled, 0 added, 0 gone")
    assert found["changes"]["listed"]["relabelled"] == [{"file": "60.png", "from": "b", "to": "A"}]
    assert found["former_names"] == {"A": ["a"]}
    with refused(
        DataError,
        found="1 relabelled",
        allowed="accept it as it is, once",
        next="Mend the data, or .*--set validation.relabelled=report",
    ):
        validate(inputs, tmp_path / "stopped", str(tmp_path / "second"), relabelled="stop")


def test_it_is_compared_with_the_acceptance_that_it_is_given(
    inputs: Inputs, tmp_path: Path
) -> None:
    first = validate(inputs, tmp_path / "first")
    counts = {split: {**by_class, "red": 0, "tan": 8} for split, by_class in COUNTS.items()}
    artifact_types.write(inputs["ingest_report"][0], {"counts": counts})
    with refused(
        DataError,
        found=r"'red' \(24 pictures\).*'tan' \(24 pictures\)",
        allowed="compared with the data accepted on ",
        next="Mend the data, or .*--set validation.vanished_classes=report",
    ):
        validate(inputs, tmp_path / "second", previous=first.uri)
    assert not (tmp_path / "second").exists()

    second = validate(inputs, tmp_path / "second", previous=first.uri, vanished_classes="report")
    found = artifact_types.read(second)
    assert found["compared_with"] == artifact_types.read(first)["accepted"]
    assert [finding["check"] for finding in found["findings"]] == [
        "vanished_classes",
        "new_classes",
    ]


def test_what_example_validator_found_stops_unless_it_is_to_be_reported(
    inputs: Inputs, tmp_path: Path
) -> None:
    anomalies = anomalies_pb2.Anomalies()
    anomalies.anomaly_info["image/format"].description = "Unexpected string values: webp."
    path = Path(inputs["anomalies"][0].uri, "Split-eval", "SchemaDiff.pb")
    path.write_bytes(anomalies.SerializeToString())
    words = "image/format breaks the schema in the eval split: Unexpected string values: webp."
    with refused(
        DataError,
        found=re.escape(words),
        allowed="accept it as it is, once",
        next="Mend the data, or .*--set validation.anomalies=report",
    ):
        validate(inputs, tmp_path / "first")
    [finding] = artifact_types.read(validate(inputs, tmp_path / "first", anomalies="report"))[
        "findings"
    ]
    assert finding["text"] == words


def test_pictures_out_of_range_are_named_by_their_files(inputs: Inputs, tmp_path: Path) -> None:
    with refused(
        DataError,
        found=r"red/006.png \(40 x 46\)",
        allowed="accept it as it is, once",
        next="Mend the data",
    ) as stopped:
        validate(inputs, tmp_path / "first", max_side=45)
    assert "red/005.png" not in str(stopped.value)
