"""Accuracy on all 2,624 solar cells, frozen and unfrozen, beside what was published.

The protocol of Deitsch et al. 2019 (arXiv 1807.02894): defective is a probability over 0.5, 75 %
of the cells train and 25 % test, here drawn anew for each of three splits. A tenth of the training
cells chooses the checkpoint. The frozen layers' output for each cell and its flips is computed once
for all splits: 4.7 GB in the user's cache folder, of which training holds 3 GB in memory. It takes
an hour on two cores and can be stopped: that pass of ten minutes then begins anew, the trainings
resume after their last epoch.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.figures import say, show_bound, show_table
from serving.quiet_imports import quiet_import

with quiet_import():
    import keras
    import numpy as np
    import tensorflow as tf
    from sklearn.model_selection import train_test_split

from components.backbones import BACKBONES
from components.files.cache_folder import cache_dir
from components.fit.optimizers import layer_decay
from components.fit.training_data import Data, Kept, kept_data
from components.model.chosen_weights import weights_file
from components.model.network import Network, build_network, freeze, unfreeze
from components.picture_ops import decode, fit
from components.pretrained.base import build_base, first_unfrozen
from components.settings.augmentation import Augmentation
from components.settings.training import Frozen, Unfrozen
from components.settings.training import Phase as PhaseSettings
from components.trainer.activations import flips, keep
from components.trainer.boundary import split_at
from components.trainer.learner import make_learner
from components.trainer.phases import Phase, Prepared
from components.trainer.training_loop import TrainingLoop
from components.trainer.training_state import TrainingState
from pipeline.commands import demo_data, preflight
from pipeline.config import build

_SPLITS = 3
_PUBLISHED = {"frozen": 82.44, "unfrozen": 88.42}  # SVM; fine-tuned VGG19, in percent
_SIZE, _FROM_LAYER, _BATCH = 299, "mixed7", 32
_CONFIG = {"data": {"source": "-"}, "push": {"directory": "-"}}
_FLIPS = flips(Augmentation(horizontal_flip=True, vertical_flip=True)) or []
_FROZEN = Frozen.model_validate(
    {"epochs": 150, "learning_rate": 0.003, "schedule": {"kind": "cosine"}}
)
_UNFROZEN = Unfrozen.model_validate(
    {
        **{"epochs": 8, "from_layer": _FROM_LAYER, "optimizer": "adam", "momentum": 0.0},
        **{"learning_rate": 1e-4, "clip_norm": 1.0},
        "schedule": {"kind": "cosine", "warmup_epochs": 1},
    }
)


def main() -> None:
    """Measures what is not measured yet, and shows all."""
    folder = cache_dir() / "benchmarks" / f"elpv-{_FROM_LAYER}"
    folder.mkdir(parents=True, exist_ok=True)
    cells, labels = _cells(folder)
    config = preflight.with_weights_at_hand(build(_CONFIG), say)
    weights = weights_file(config.model)

    def network(seed: int) -> Network:
        base = build_base("inception_v3", [_SIZE, _SIZE], weights)
        keras.utils.set_random_seed(seed)
        return build_network(base, config.model.head, len(demo_data.CLASSES))

    boundary = _boundary(network(0), cells, labels, folder)
    settings = f"{_CONFIG} {_FROZEN} {_UNFROZEN}".encode()
    trained = folder / hashlib.sha256(settings).hexdigest()[:8]
    trained.mkdir(exist_ok=True)
    results = [_split(seed, network(seed), boundary, trained) for seed in range(_SPLITS)]
    _show(results)


def _cells(folder: Path) -> tuple[list[Path], np.ndarray]:
    pictures = folder / "pictures"
    demo_data.solar_cells(pictures, 2624, seed=0)
    cells = sorted(pictures.rglob("*.png"), key=lambda path: path.name)
    indices = [demo_data.CLASSES.index(cell.parent.name) for cell in cells]
    return cells, np.eye(len(demo_data.CLASSES), dtype=np.float32)[indices]


def _boundary(network: Network, cells: list[Path], labels: np.ndarray, folder: Path) -> Kept:
    """Returns the frozen layers' output for each cell, then for each of its flips in turn."""
    bottom, _ = _parts(network)
    done = folder / "boundary.done"
    if not done.exists():
        paths = tf.data.Dataset.from_tensor_slices(([str(cell) for cell in cells], labels))
        batches = paths.map(_scaled, num_parallel_calls=tf.data.AUTOTUNE).batch(_BATCH)
        kept = keep(bottom, batches, len(cells), folder, "boundary", _FLIPS)
        assert kept, "half precision is too coarse"
        done.touch()
    files = [folder / f"boundary-{number}.npy" for number in range(len(bottom.outputs))]
    arrays = [np.load(file, mmap_mode="r") for file in files]
    return Kept(arrays, np.tile(labels, (len(_FLIPS), 1)))


def _scaled(cell: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    pixels = fit(decode(tf.io.read_file(cell)), _SIZE, _SIZE, "stretch")
    return BACKBONES["inception_v3"].scale(pixels), label


def _parts(network: Network) -> tuple[keras.Model, keras.Model]:
    """The layers that stay frozen in both phases, and those above them."""
    return split_at(network.base, first_unfrozen(network.base, "inception_v3", _FROM_LAYER))


def _pooled(network: Network, boundary: Kept, folder: Path) -> Kept:
    """Returns the input of phase `frozen`: the pooled output of the base before any fit."""
    file = folder / "pooled.npy"
    if not file.exists():
        pool = make_learner([_parts(network)[1], *network.pooling], None, None)
        with open(folder / "pooled.new", "wb") as new:
            np.save(new, _answers(pool, boundary))
        (folder / "pooled.new").rename(file)
    return Kept([np.load(file)], boundary.labels)


def _split(seed: int, network: Network, boundary: Kept, folder: Path) -> dict[str, float]:
    """Trains both phases on one split; returns the accuracy of each on its test cells."""
    result = folder / f"split-{seed}.json"
    if result.exists():
        return json.loads(result.read_text())
    train, choose, test = _numbers(seed, boundary.labels)

    def fit_alone(name: str, settings: PhaseSettings, prepared: Prepared) -> None:
        """Fits each phase in a loop of its own: else `unfrozen` would be the better of both."""
        work = str(folder / f"split-{seed}-{name}")
        state, logs = TrainingState.load(work), str(folder / "logs")
        loop = TrainingLoop(state=state, work=work, logs=logs, seed=seed)
        loop.run([Phase(name, settings, lambda: prepared)])

    freeze(network.base)
    pooled = _pooled(network, boundary, folder.parent)
    head = make_learner([network.head], None, None)
    data = _data(pooled, train, choose, seed)
    fit_alone("frozen", _FROZEN, Prepared(learner=head, data=data))
    found = {"frozen": _accuracy(head, _part(pooled, test))}

    first = first_unfrozen(network.base, "inception_v3", _FROM_LAYER)
    unfreeze(network.base, first)
    learner = make_learner([_parts(network)[1], *network.pooling, network.head], None, None)
    data = _data(boundary, train, choose, seed)
    scales = layer_decay(network.base, first, _UNFROZEN.layer_decay)
    prepared = Prepared(learner=learner, data=data, rate_scales=scales)
    fit_alone("unfrozen", _UNFROZEN, prepared)
    found["unfrozen"] = _accuracy(learner, _part(boundary, test))
    result.write_text(json.dumps(found))
    say(f"split {seed}: {found}")
    return found


def _numbers(seed: int, labels: np.ndarray) -> tuple[Any, Any, Any]:
    """Returns the numbers of the cells that train, choose the checkpoint and test."""
    classes = labels[: len(labels) // len(_FLIPS)].argmax(axis=1)
    known, test = train_test_split(
        np.arange(len(classes)), test_size=0.25, stratify=classes, random_state=seed
    )
    train, choose = train_test_split(
        known, test_size=0.1, stratify=classes[known], random_state=seed
    )
    return train, choose, test


def _data(kept: Kept, train: np.ndarray, choose: np.ndarray, seed: int) -> Data:
    """Trains on the cells and their flips, judges by the cells alone."""
    cells = len(kept.labels) // len(_FLIPS)
    variants = np.concatenate([train + number * cells for number in range(len(_FLIPS))])
    return kept_data(_part(kept, variants), _part(kept, choose), _BATCH, seed, len(_FLIPS))


def _part(kept: Kept, numbers: np.ndarray) -> Kept:
    return Kept([array[numbers] for array in kept.arrays], kept.labels[numbers])


def _answers(model: keras.Model, kept: Kept) -> np.ndarray:
    batches = kept.batches(np.arange(len(kept.labels)), _BATCH)
    return np.concatenate([model(inputs, training=False).numpy() for inputs, _ in batches])


def _accuracy(model: keras.Model, kept: Kept) -> float:
    """In percent."""
    return 100 * float((_answers(model, kept).argmax(1) == kept.labels.argmax(1)).mean())


def _show(results: list[dict[str, float]]) -> None:
    rows = []
    for phase, published in _PUBLISHED.items():
        found = [result[phase] for result in results]
        each = ", ".join(f"{value:.2f}" for value in found)
        mean, deviation = statistics.mean(found), statistics.stdev(found)
        rows.append([phase, f"{mean:.2f} ± {deviation:.2f}", each, f"{published:.2f}"])
        show_bound(f"{phase}: {mean:.2f} % against the published {published} %", mean >= published)
    columns = ["phase", "accuracy, %", "each split", "published, %"]
    show_table(f"2,624 solar cells, 75/25, {_SPLITS} splits", columns, rows)
