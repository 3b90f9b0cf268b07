from __future__ import annotations

import shutil
from pathlib import Path

from tfx.types import Artifact, artifact_utils, standard_artifacts

from components.artifacts import ledger_rows
from components.artifacts import types as artifact_types
from components.artifacts.examples import Example
from components.artifacts.features import FILENAME, SPLITS
from components.artifacts.tfrecords import read_records
from components.errors import DataError
from components.image_example_gen.golden import Executor
from components.settings.beam_options import pipeline_arguments
from components.settings.data import Data
from components.settings.runtime import Runtime
from tests import made_pictures
from tests.components.image_example_gen.made_ingest import ingest
from tests.components.made_step import execute
from tests.explains import refused


def golden(folder: Path, report: str, data: Data) -> Artifact:
    """Runs the executor beside an ingest; gives its Examples."""
    known, examples = artifact_types.IngestReport(), standard_artifacts.Examples()
    known.uri, examples.uri = report, str(folder / "GoldenExampleGen" / "examples" / "1")
    context = Executor.Context(
        beam_pipeline_args=pipeline_arguments(Runtime().beam), tmp_dir=str(folder), unique_id="1"
    )
    inputs = {"ingest_report": [known]}
    execute(Executor(context), data, inputs, {"examples": examples}, fingerprint="0")
    return examples


def names(examples: Artifact, split: str) -> list[str]:
    folder = artifact_utils.get_split_uri([examples], split)
    if not Path(folder).is_dir():
        return []
    return sorted(
        Example(record).text(FILENAME) for record in read_records(folder).as_numpy_iterator()
    )


def test_all_pictures_are_in_the_split_test(tmp_path: Path) -> None:
    made = ingest(tmp_path, Data(source=str(made_pictures.make(tmp_path / "pictures", 5))))
    fixed = made_pictures.make(tmp_path / "golden", 2, seed=9)
    found = golden(tmp_path, made.folder, Data(source=str(fixed)))
    wanted = sorted(path.relative_to(fixed).as_posix() for path in fixed.glob("*/*.png"))
    assert [names(found, split) for split in SPLITS] == [[], [], wanted]


def test_what_training_sees_is_rejected_and_a_test_picture_is_not(tmp_path: Path) -> None:
    pictures = made_pictures.make(tmp_path / "pictures", 5)
    made = ingest(tmp_path, Data(source=str(pictures)))
    fixed = made_pictures.make(tmp_path / "golden", 2, seed=9)
    [trained, *_], [tested, *_] = (
        [row[FILENAME] for row in made.examples[split]] for split in ("train", "test")
    )
    shutil.copy(pictures / trained, fixed / "red" / "trained.png")
    shutil.copy(pictures / tested, fixed / tested.split("/")[0] / "tested.png")
    with refused(
        DataError,
        found=r"gate\.golden: 1 of 8 .*training sees the same picture",
        allowed="more than data.max_rejected_fraction",
        next="Mend or remove them",
    ):
        golden(tmp_path, made.folder, Data(source=str(fixed)))
    found = golden(
        tmp_path / "again", made.folder, Data(source=str(fixed), max_rejected_fraction=0.5)
    )
    assert "red/trained.png" not in names(found, "test")
    assert f"{tested.split('/')[0]}/tested.png" in names(found, "test")
    rows = list(ledger_rows.read(found.uri))
    assert [row["file"] for row in rows if "reason" in row] == ["red/trained.png"]
