"""The cache tells the truth: what changed runs again with what follows, and nothing before it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import BEFORE_TRAINER, FirstRun


def _states(result: dict) -> dict[str, str]:
    return {name: node["state"] for name, node in result["components"].items()}


def _add(pictures: Path) -> None:
    shutil.copy(pictures / "red" / "000.png", pictures / "red" / "more.png")


def _remove(pictures: Path) -> None:
    (pictures / "red" / "001.png").unlink()


def _replace_with_same_name_and_size(pictures: Path) -> None:
    path = pictures / "red" / "002.png"
    size = path.stat().st_size
    Image.new("RGB", (40, 40), (200, 50, 41)).save(path)
    # A PNG ends with its last chunk; what follows is ignored by every reader.
    path.write_bytes(path.read_bytes().ljust(size, b"\0"))
    assert path.stat().st_size == size


def _move_to_another_class(pictures: Path) -> None:
    (pictures / "red" / "003.png").rename(pictures / "blue" / "moved.png")


@pytest.mark.parametrize(
    "change", [_add, _remove, _replace_with_same_name_and_size, _move_to_another_class]
)
def test_a_changed_folder_reruns_the_ingest_and_what_follows(
    first_run: FirstRun, pictures_to_change: Path, change: Callable[[Path], None]
) -> None:
    change(pictures_to_change)
    states = _states(first_run.run(to_node="StatisticsGen"))
    assert states["ImageExampleGen"] == "ran"
    assert states["StatisticsGen"] == "ran"
    assert states["Trainer"] == "skipped"


def test_an_untouched_folder_reruns_nothing(first_run: FirstRun) -> None:
    states = _states(first_run.run(to_node="BottleneckGen"))
    assert {states[name] for name in BEFORE_TRAINER if states[name] != "skipped"} == {"cached"}


def test_a_new_learning_rate_reruns_the_trainer_and_nothing_before(first_run: FirstRun) -> None:
    rate = "training.frozen.learning_rate=0.02"
    states = _states(first_run.run(rate, to_node="Trainer"))
    assert states["Trainer"] == "ran"
    before = [name for name in BEFORE_TRAINER if states[name] != "skipped"]
    assert "BottleneckGen" in before
    assert {states[name] for name in before} == {"cached"}


def test_other_weights_under_the_same_path_rerun_the_bottlenecks(
    first_run: FirstRun, tmp_path: Path
) -> None:
    import keras

    weights = tmp_path / "base.weights.h5"

    def write(seed: int) -> None:
        keras.utils.set_random_seed(seed)
        keras.applications.MobileNet(
            include_top=False, weights=None, input_shape=(32, 32, 3)
        ).save_weights(weights)

    def run() -> dict[str, str]:
        assignment = f"model.weights={weights}"
        return _states(first_run.run(assignment, to_node="BottleneckGen"))

    write(1)
    assert run()["BottleneckGen"] == "ran"
    assert run()["BottleneckGen"] == "cached"
    write(2)
    states = run()
    assert states["BottleneckGen"] == "ran"
    assert states["Transform"] == "cached"


def test_new_code_reruns_what_it_touches(
    first_run: FirstRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.bottleneck_gen.component import BottleneckGen

    monkeypatch.setattr(BottleneckGen, "code_version", lambda: "another release")
    states = _states(first_run.run(to_node="BottleneckGen"))
    assert states["BottleneckGen"] == "ran"
    assert states["Transform"] == "cached"
    assert states["ImageExampleGen"] == "cached"


def test_another_version_of_a_library_reruns_the_steps_that_name_it(
    first_run: FirstRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = metadata.version

    def upgraded(name: str) -> str:
        return "99.0" if name == "h5py" else installed(name)

    monkeypatch.setattr(metadata, "version", upgraded)
    for expected in ("ran", "cached"):
        states = _states(first_run.run(to_node="BottleneckGen"))
        assert states["BottleneckGen"] == expected
        before = [name for name in BEFORE_TRAINER if name != "BottleneckGen"]
        assert {states[name] for name in before if states[name] != "skipped"} == {"cached"}


def test_files_for_devices_cost_no_training(first_run: FirstRun) -> None:
    result = first_run.run("export.tflite=[float16]", to_node="LiteExport")
    states = _states(result)
    assert (states["Trainer"], states["LiteExport"]) == ("cached", "ran")


def test_another_form_of_the_served_model_costs_no_training(first_run: FirstRun) -> None:
    states = _states(first_run.run("export.average_flips=[horizontal]", to_node="Trainer"))
    assert states["Trainer"] == "ran"
    first, exported = (
        Path(folder, "history.json").read_text()
        for folder in (first_run.output("Trainer", "model_run"), _newest(first_run, "model_run"))
    )
    assert exported == first  # to the seconds of each epoch
    answers = [
        Path(folder, "export.json").read_text()
        for folder in (first_run.output("Trainer", "model"), _newest(first_run, "model"))
    ]
    assert answers[0] != answers[1]


def _newest(run: FirstRun, name: str) -> Path:
    return max(run.output("Trainer", name).parent.iterdir(), key=lambda path: int(path.name))
