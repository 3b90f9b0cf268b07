from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.artifacts import examples, features, tfrecords
from components.artifacts.types import Bottlenecks
from components.report import dead_features
from components.report.environment import environment
from components.report.sections.training_advice import advice, on_features


def history(*epochs: tuple[str, float, float, float]) -> dict[str, Any]:
    """Of (phase, accuracy on train, accuracy on eval, loss on eval)."""
    rows = [
        {"phase": phase, "epoch": number, "accuracy": train, "loss": 1.0}
        | {"val_accuracy": accuracy, "val_loss": loss}
        for number, (phase, train, accuracy, loss) in enumerate(epochs, 1)
    ]
    return {"epochs": rows, "best": min(rows, key=lambda row: row["val_loss"])}


def test_a_sound_training_gets_no_advice() -> None:
    found = history(
        ("frozen", 0.8, 0.79, 0.5), ("frozen", 0.82, 0.8, 0.45), ("frozen", 0.85, 0.8, 0.451)
    )
    assert advice(found) == []


def test_overfitting_is_named_with_both_figures_and_the_keys_that_help() -> None:
    [said] = advice(history(("frozen", 0.71, 0.47, 1.4), ("frozen", 0.75, 0.47, 1.5)))
    assert "71 % on train and 47 % on eval" in said
    assert "training.augmentation" in said and "model.head.dropout" in said


def test_a_loss_that_was_still_falling_names_the_phase_and_its_key() -> None:
    falling = [("frozen", 0.5, 0.5, 1.0), ("frozen", 0.6, 0.6, 0.9), ("frozen", 0.7, 0.7, 0.8)]
    [said] = advice(history(*falling))
    assert "phase frozen" in said and "training.frozen.epochs" in said
    flat = [("unfrozen", 0.7, 0.7, 0.799), ("unfrozen", 0.7, 0.7, 0.798)]
    [said] = advice(history(*falling, *flat))
    assert "unfrozen" not in said  # a fall by a thousandth is none


def test_an_epoch_chosen_by_loss_is_told_where_it_costs_accuracy() -> None:
    [said] = advice(history(("frozen", 0.8, 0.77, 0.60), ("unfrozen", 0.85, 0.81, 0.64)))
    assert "77 %" in said and "epoch 2 of phase unfrozen had 81 %, 4.0 points more" in said
    assert "training.label_smoothing" in said
    assert advice(history(("frozen", 0.8, 0.77, 0.60), ("unfrozen", 0.8, 0.78, 0.64))) == []


def test_epochs_without_a_finite_loss_are_left_out() -> None:
    rows = history(("frozen", 0.8, 0.77, 0.6), ("frozen", 0.1, 0.9, float("nan")))
    assert advice(rows) == []
    assert advice({"epochs": [], "best": None}) == []


@pytest.mark.parametrize(
    ("dead", "pictures", "said"), [(2, 120, True), (1, 120, False), (2, 99, 0)]
)
def test_features_that_are_zero_in_all_pictures_are_told_from_a_fifth_on(
    tmp_path: Path, dead: int, pictures: int, said: bool
) -> None:
    bottlenecks = Bottlenecks()
    bottlenecks.uri = str(tmp_path)
    folder = tmp_path / "Split-train"
    folder.mkdir()
    # Of ten features some are always zero, and each other one is in one picture at least.
    rows = [[0.0] * dead + [float(at == n % 10) for at in range(dead, 10)] for n in range(pictures)]
    records = [examples.serialized({features.BOTTLENECK: row}) for row in rows]
    tfrecords.write(str(folder / "bottlenecks-0.tfrecord"), records)
    sentences = on_features(dead_features.count(bottlenecks))
    assert len(sentences) == int(said)
    if said:
        assert "2 of 10 features (20 %) are zero in all of 120 pictures" in sentences[0]
        assert "model.features" in sentences[0] and "tournament" in sentences[0]
    assert on_features(None) == []


def test_commands_in_an_advice_are_set_as_code() -> None:
    filtered = environment().from_string("{{ text | code }}").render(text="use `run <a>` & look")
    assert filtered == "use <code>run &lt;a&gt;</code> &amp; look"
