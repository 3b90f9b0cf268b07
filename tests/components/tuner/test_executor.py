from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import pytest
from tfx.types import Artifact, standard_artifacts

from components.artifacts import types as artifact_types
from components.errors import TrainingError
from components.fit import tuned_settings
from components.settings.model import Model
from components.settings.training import Training
from components.settings.tuner import Tuner
from components.trainer.executor import Executor as Trainer
from components.trainer.settings import TrainerSettings
from components.tuner.executor import Executor, TunerSettings
from tests.components.made_step import execute
from tests.components.tuner import made_features
from tests.explains import refused

MODEL = Model(backbone="mobilenet", weights=None)
TRAINING = Training.model_validate(
    {
        "batch_size": 8,
        "class_weights": "balanced",
        "frozen": {"epochs": 4, "schedule": {"kind": "cosine"}},
        "unfrozen": {"epochs": 0},
    }
)


def artifact(kind: type[Artifact], folder: Path) -> Artifact:
    made = kind()
    made.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return made


def search(folder: Path, scale: float = 1.0, **settings: Any) -> dict[str, list[Artifact]]:
    """Runs the Tuner on made features; gives its inputs and outputs."""
    bottlenecks = artifact(artifact_types.Bottlenecks, folder / "bottlenecks")
    made_features.write(folder / "bottlenecks", train=24, validation=24, scale=scale)
    inputs = {"bottlenecks": [bottlenecks], "class_list": [made_features.class_list(folder)]}
    outputs = {
        "best_hyperparameters": [artifact(standard_artifacts.HyperParameters, folder / "best")],
        "tuner_results": [artifact(standard_artifacts.TunerResults, folder / "results")],
    }
    tuner = Tuner.model_validate({"algorithm": "random", **settings})
    execute(Executor(), TunerSettings.of(MODEL, [32, 32], TRAINING, tuner), inputs, outputs)
    return inputs | outputs


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Artifact]]:
    return search(tmp_path_factory.mktemp("tuner"), trials=3, units=[16, 48])


def test_the_outputs_are_those_of_tfx(found: dict[str, list[Artifact]]) -> None:
    [best], [results] = found["best_hyperparameters"], found["tuner_results"]
    text = Path(best.uri, "best_hyperparameters.txt").read_text()
    values = keras_tuner.HyperParameters.from_config(json.loads(text)).values
    table = json.loads(Path(results.uri, "tuner_results.json").read_text())
    assert {key: table[0][key] for key in values} == values
    assert [row["score"] for row in table] == sorted(row["score"] for row in table)
    names = sorted(path.name for path in Path(results.uri).iterdir())
    assert names == ["trials.json", "tuner_results.json"], "the features are not kept"


def test_the_best_trial_is_what_the_trainer_fits(
    found: dict[str, list[Artifact]], transform_graph: str, split: str, tmp_path: Path
) -> None:
    for name in ("train", "eval"):
        shutil.copytree(split, tmp_path / "examples" / f"Split-{name}")
    examples = artifact(standard_artifacts.Examples, tmp_path / "examples")
    examples.split_names = json.dumps(["train", "eval"])
    graph = artifact(standard_artifacts.TransformGraph, Path(transform_graph))
    model = artifact(standard_artifacts.Model, tmp_path / "node" / "model" / "1")
    run = artifact(standard_artifacts.ModelRun, tmp_path / "node" / "run" / "1")
    inputs = {
        "examples": [examples],
        "transform_graph": [graph],
        "bottlenecks": found["bottlenecks"],
        "class_list": found["class_list"],
        "hyperparameters": found["best_hyperparameters"],
    }
    settings = TrainerSettings(model=MODEL, training=TRAINING)
    execute(Trainer(), settings, inputs, {"model": model, "model_run": run})

    best = tuned_settings.read_trials(found["tuner_results"][0])[0]
    history = json.loads(Path(run.uri, "history.json").read_text())
    assert history["tuned"] == best["values"]
    assert history["best"]["val_loss"] == pytest.approx(best["score"], rel=1e-6)
    assert history["best"]["val_accuracy"] == pytest.approx(best["val_accuracy"])
    head = keras.models.load_model(Path(model.uri, "model.keras"), compile=False).layers[-1]
    hidden, scores = (layer for layer in head.layers if isinstance(layer, keras.layers.Dense))
    assert (hidden.units, scores.units) == (best["values"]["units"], 3)
    rates = {layer.rate for layer in head.layers if isinstance(layer, keras.layers.Dropout)}
    assert rates == {best["values"]["dropout"]}


def test_where_all_trials_diverge_it_says_so(tmp_path: Path) -> None:
    with refused(
        TrainingError,
        found="All 2 trials diverged",
        allowed="the loss became NaN",
        next="Lower the bounds of tuner.learning_rate",
    ):
        search(tmp_path, scale=float("nan"), trials=2, units=None)
