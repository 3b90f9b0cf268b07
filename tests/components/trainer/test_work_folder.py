"""The folder of one training is never two processes' at once."""

from __future__ import annotations

import os
from pathlib import Path

from tfx.types import Artifact, standard_artifacts

from components.trainer import work_folder


def _examples(uri: str) -> dict[str, list[Artifact]]:
    examples = standard_artifacts.Examples()
    examples.uri = uri
    return {"examples": [examples]}


def test_a_training_has_its_folder_in_the_root_wherever_its_artifacts_were_copied(
    tmp_path: Path,
) -> None:
    root = tmp_path / "root"
    state = str(root / "Trainer/.system/stateful_working_dir/7")
    folders = {
        work_folder.for_training(
            state,
            str(tmp_path / copy / "Trainer/model/9"),
            _examples(str(tmp_path / copy / "ImageExampleGen/examples/1")),
            {"training": "{}"},
        )
        for copy in ("root", "copy", "another")
    }
    assert {Path(folder).parent for folder in folders} == {root / "Trainer/.unfinished"}
    assert len(folders) == 1
    others = _examples(str(root / "ImageExampleGen/examples/2"))
    given = (str(root / "Trainer/model/9"), others, {"training": "{}"})
    assert work_folder.for_training(state, *given) not in folders


def test_the_same_training_in_another_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = str(tmp_path / "training")
    with work_folder.alone(folder) as first, work_folder.alone(folder) as second:
        assert first == folder
        assert second != folder
        assert Path(second).is_dir()
    with work_folder.alone(folder) as later:
        assert later == folder


def test_a_training_that_runs_keeps_its_folder_however_many_come_after_it(tmp_path: Path) -> None:
    def folder(number: int) -> str:
        output = str(tmp_path / "root/Trainer/model/9")
        examples = _examples(str(tmp_path / "root/ImageExampleGen/examples/1"))
        return work_folder.for_training(None, output, examples, {"training": str(number)})

    with work_folder.alone(folder(0)) as running, work_folder.alone(running) as beside:
        killed = folder(1)
        for age, path in enumerate((running, beside, killed)):
            os.utime(path, (age, age))
        for number in range(2, 7):
            folder(number)
        assert Path(running).is_dir() and Path(beside).is_dir()
        assert not Path(killed).is_dir()


def test_inputs_of_another_metadata_store_are_others_in_the_same_place(tmp_path: Path) -> None:
    def folder(made: int) -> str:
        examples = _examples(str(tmp_path / "root/ImageExampleGen/examples/1"))
        examples["examples"][0].mlmd_artifact.create_time_since_epoch = made
        output = str(tmp_path / "root/Trainer/model/9")
        return work_folder.for_training(None, output, examples, {"training": "{}"})

    assert folder(1) == folder(1) != folder(2)
