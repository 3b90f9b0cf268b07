"""The folder of one training is never two processes' at once."""

from __future__ import annotations

from pathlib import Path

from components.trainer import work_folder


def test_the_same_training_in_another_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = str(tmp_path / "training")
    with work_folder.alone(folder) as first, work_folder.alone(folder) as second:
        assert first == folder
        assert second != folder
        assert Path(second).is_dir()
    with work_folder.alone(folder) as later:
        assert later == folder
