"""Bad input ends with a clear error before any training, and does no harm."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.store import root
from tests import made_pictures
from tests.e2e.conftest import SMALL


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return made_pictures.make(tmp_path / "pictures", 12)


def _refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str]:
    """Runs the command; gives its exit code and what it said."""
    monkeypatch.setattr(sys, "argv", ["transfer-pipeline", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


def _run(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    data: Path,
    *assignments: str,
) -> tuple[int, str]:
    words = [word for a in [*SMALL, *assignments] for word in ("--set", a)]
    runs = data.parent / "runs"
    code, said = _refused(
        monkeypatch, capfd, "run", "--data", str(data), "--root", str(runs), *words
    )
    assert not (runs / "image-classifier" / "Trainer").exists()
    return code, said


def _keep_one_class(data: Path) -> None:
    shutil.rmtree(data / "red")
    shutil.rmtree(data / "green")


def _flatten(data: Path) -> None:
    for path in data.glob("*/*.png"):
        path.rename(data / f"{path.parent.name}-{path.name}")
    for folder in made_pictures.COLOURS:
        (data / folder).rmdir()


def _empty(data: Path) -> None:
    shutil.rmtree(data)
    data.mkdir()


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (shutil.rmtree, 2, "no folder"),
        (_empty, 1, "no class folders"),
        (_flatten, 1, "no class folders"),
        (_keep_one_class, 1, "single class, 'blue'"),
    ],
)
def test_a_folder_that_makes_no_classifier(monkeypatch, capfd, pictures, damage, code, words):
    damage(pictures)
    found, said = _run(monkeypatch, capfd, pictures)
    assert found == code
    assert words in said


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("training.frozn.epochs=1", "did you mean frozen?"),
        ("training.frozen.epochs=many", "training.frozen.epochs: found the text 'many'"),
        ("image.size=[16, 16]", "mobilenet needs at least 32"),
        ("model.weights=/nowhere/base.weights.h5", "no file /nowhere/base.weights.h5"),
        ("training.unfrozen.from_layer=mixed7", "mobilenet has no layer 'mixed7'"),
        ("training.unfrozen.from_layer=999", "mobilenet has no layer 999; allowed are 0 to 85"),
        ("training.batch_size=64", "training.batch_size: found 64, but about 21 pictures"),
        ("training.augmentation.rotation=20", "set frozen.features: end_to_end"),
        ("training.frozen.learning_rate=0", "training.frozen.learning_rate: found the number 0"),
        ("model.head.dense=[{units: 0}]", "model.head.dense.0.units: found the number 0"),
        ("model.backbone=alexnet", "unknown backbone; allowed are inception_v3"),
    ],
)
def test_a_configuration_that_cannot_work(monkeypatch, capfd, pictures, assignment, words):
    code, said = _run(monkeypatch, capfd, pictures, assignment)
    assert code == 2
    assert words in said


def test_weights_of_another_architecture(monkeypatch, capfd, pictures, tmp_path):
    import keras

    weights = tmp_path / "other.weights.h5"
    keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(
        weights
    )
    code, said = _run(monkeypatch, capfd, pictures, f"model.weights={weights}")
    assert code == 2
    assert "does not hold the weights of mobilenet" in said


def test_a_push_directory_that_cannot_be_written(monkeypatch, capfd, pictures):
    # /proc refuses everybody, root included.
    code, said = _run(monkeypatch, capfd, pictures, "push.directory=/proc/served")
    assert code == 2
    assert "can't be written" in said


def test_a_push_directory_that_is_a_file(monkeypatch, capfd, pictures, tmp_path):
    file = tmp_path / "file"
    file.touch()
    code, said = _run(monkeypatch, capfd, pictures, f"push.directory={file}")
    assert code == 2
    assert "push.directory" in said


def test_pictures_that_nobody_can_decode(monkeypatch, capfd, pictures):
    for path in pictures.glob("*/*.png"):
        path.write_bytes(b"not a picture")
    code, said = _run(monkeypatch, capfd, pictures)
    assert code == 1
    assert "36 of 36 pictures can't be used" in said


def test_a_second_run_on_one_root_is_told_and_does_no_harm(monkeypatch, capfd, pictures):
    with root.locked(pictures.parent / "runs"):
        code, said = _run(monkeypatch, capfd, pictures)
    assert code == 1
    assert "Another run uses" in said
    assert str(os.getpid()) in said
