from __future__ import annotations

from pathlib import Path

import pytest
from tfx.types import Artifact, standard_artifacts

from components.artifacts import examples, features, ledger_rows, tfrecords
from components.artifacts import types as artifact_types
from components.artifacts.rows import Row, Rows
from components.report import picture_records


def example(name: str) -> bytes:
    values = {features.FILENAME: name.encode(), features.ENCODED: name.encode() * 3}
    return examples.serialized(values)


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Artifact]:
    """Twenty pictures in each of two splits, of which the ledger knows where they lie."""
    made: dict[str, Artifact] = {
        "examples": standard_artifacts.Examples(),
        "ingest_report": artifact_types.IngestReport(),
    }
    for name, artifact in made.items():
        artifact.uri = str(tmp_path / name)
        Path(artifact.uri).mkdir()
    made["examples"].split_names = '["train", "eval", "test"]'
    rows: list[Row] = []
    for split in ("train", "test"):
        folder = Path(made["examples"].uri, f"Split-{split}")
        folder.mkdir()
        content = b""
        for number in range(20):
            file = f"{split}-{number:02}.png"
            place = {"split": split, "place": "pictures-0.tfrecord", "offset": str(len(content))}
            rows.append({"file": file, "label": "cats", **place})
            content += tfrecords.framed(example(file))
        (folder / "pictures-0.tfrecord").write_bytes(content)
    ledger_rows.write(made["ingest_report"].uri, Rows.of(rows).by("file"))
    return made


def test_the_pictures_are_read_where_they_lie_and_no_other_is(
    inputs: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_records, "looked_through", None)
    files = {"train-00.png", "test-07.png", "test-19.png", "gone.png"}
    found = picture_records.encoded(inputs, files)
    assert found == {file: file.encode() * 3 for file in files - {"gone.png"}}
    assert set(picture_records.encoded(inputs, files, ("test",))) == {"test-07.png", "test-19.png"}


def test_without_a_ledger_that_knows_they_are_looked_for(inputs: dict[str, Artifact]) -> None:
    for path in Path(inputs["ingest_report"].uri).iterdir():
        path.unlink()
    Path(inputs["examples"].uri, "Split-eval").mkdir()
    found = picture_records.encoded(inputs, {"train-03.png", "test-19.png"}, ("train", "test"))
    assert set(found) == {"train-03.png", "test-19.png"}
