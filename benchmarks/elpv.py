"""Accuracy on all 2,624 solar cells, frozen and unfrozen, beside what was published.

The protocol of Deitsch et al. 2019 (arXiv 1807.02894): defective is a probability over 0.5, 75 %
of the cells train and 25 % test, here drawn anew for each of three splits. A tenth of the training
cells chooses the checkpoint. What the frozen layers give is computed once for all splits. It takes
hours on two cores and goes on where it was stopped: all lies in the user's cache folder.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.figures import say, show_bound, show_table
from serving.quiet import quiet_import

with quiet_import():
    import keras
    import numpy as np
    import tensorflow as tf
    from sklearn.model_selection import train_test_split

from components.backbones import BACKBONES, build_base, first_unfrozen
from components.network import Network, build_network, freeze, unfreeze
from components.optimizers import layer_decay
from components.settings.training import Frozen, Unfrozen
from components.trainer.activations import Kept, kept_data
from components.trainer.backup import Backup
from components.trainer.boundary import split_at
from components.trainer.learner import make_learner
from components.trainer.phases import Fit
from components.transform.preprocessing import decode, fit
from components.weights import cache_dir
from components.weights_driver import weights_file
from pipeline import demo_data, preflight
from pipeline.config import build

_SPLITS = 3
_PUBLISHED = {"frozen": 82.44, "unfrozen": 88.42}  # SVM; fine-tuned VGG19, in percent
_SIZE, _FROM_LAYER, _BATCH, _CHUNK = 299, "mixed8", 32, 32
_CONFIG = {"data": {"source": "-"}, "push": {"directory": "-"}}
_FROZEN = Frozen(epochs=40, learning_rate=0.001)
_UNFROZEN = Unfrozen.model_validate(
    {
        **{"epochs": 12, "from_layer": _FROM_LAYER, "optimizer": "adam", "momentum": 0.0},
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
    results = [_split(seed, network(seed), boundary, folder) for seed in range(_SPLITS)]
    _show(results)


def _cells(folder: Path) -> tuple[list[Path], np.ndarray]:
    pictures = folder / "pictures"
    demo_data.solar_cells(pictures, 2624, seed=0)
    cells = sorted(pictures.rglob("*.png"), key=lambda path: path.name)
    indices = [demo_data.CLASSES.index(cell.parent.name) for cell in cells]
    return cells, np.eye(len(demo_data.CLASSES), dtype=np.float32)[indices]


def _boundary(network: Network, cells: list[Path], labels: np.ndarray, folder: Path) -> Kept:
    """What the frozen layers give for each cell, by chunks that are not computed twice."""
    first = first_unfrozen(network.base, "inception_v3", _FROM_LAYER)
    bottom, _ = split_at(network.base, first)
    run = tf.function(lambda pixels: bottom(pixels, training=False), autograph=False)
    for start in range(0, len(cells), _CHUNK):
        file = folder / f"boundary-{start:04d}.npz"
        if not file.exists():
            outputs = run(_pixels(cells[start : start + _CHUNK]))
            listed = outputs if isinstance(outputs, list) else [outputs]
            np.savez(folder / "new.npz", *(tensor.numpy().astype(np.float16) for tensor in listed))
            (folder / "new.npz").rename(file)
    chunks = [np.load(file) for file in sorted(folder.glob("boundary-*.npz"))]
    arrays = [np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0].files]
    return Kept(arrays, labels)


def _pixels(cells: list[Path]) -> tf.Tensor:
    pictures = [fit(decode(cell.read_bytes()), _SIZE, _SIZE, "stretch") for cell in cells]
    return BACKBONES["inception_v3"].scale(tf.stack(pictures))


def _split(seed: int, network: Network, boundary: Kept, folder: Path) -> dict[str, float]:
    """Trains both phases on one split; gives the accuracy of each on its test cells."""
    result = folder / f"split-{seed}.json"
    if result.exists():
        return json.loads(result.read_text())
    train, choose, test = _numbers(seed, boundary.labels)
    fit_of = Fit(seed, None, 0.0, str(folder / "logs"), Backup(str(folder / f"split-{seed}")))
    first = first_unfrozen(network.base, "inception_v3", _FROM_LAYER)
    freeze(network.base)
    _, top = split_at(network.base, first)
    pool = make_learner([top, *network.pooling], None, None)
    pooled = Kept([_answers(pool, boundary)], boundary.labels)
    head = make_learner([network.head], None, None)
    data = kept_data(_part(pooled, train), _part(pooled, choose), _BATCH, seed)
    fit_of.phase("frozen", head, data, _FROZEN)
    found = {"frozen": _accuracy(head, _part(pooled, test))}

    unfreeze(network.base, first)
    learner = make_learner([top, *network.pooling, network.head], None, None)
    data = kept_data(_part(boundary, train), _part(boundary, choose), _BATCH, seed)
    scales = layer_decay(network.base, first, _UNFROZEN.layer_decay)
    fit_of.phase("unfrozen", learner, data, _UNFROZEN, scales)
    found["unfrozen"] = _accuracy(learner, _part(boundary, test))
    result.write_text(json.dumps(found))
    say(f"split {seed}: {found}")
    return found


def _numbers(seed: int, labels: np.ndarray) -> tuple[Any, Any, Any]:
    """Gives the numbers of the cells that train, choose the checkpoint and test."""
    classes = labels.argmax(axis=1)
    known, test = train_test_split(
        np.arange(len(labels)), test_size=0.25, stratify=classes, random_state=seed
    )
    train, choose = train_test_split(
        known, test_size=0.1, stratify=classes[known], random_state=seed
    )
    return train, choose, test


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
