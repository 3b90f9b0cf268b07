"""Measures half precision and folded BatchNormalization: forward passes, and steps of training.

InceptionV3 at 299 pixels on pictures of noise, since weights and pixels do not change the time. The
sides take turns in one process: Keras' own layers in float32, and the pipeline's twin of them.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from benchmarks.figures import show_bound, show_table
from serving.quiet_imports import quiet_import

with quiet_import():
    import keras
    import numpy as np
    import tensorflow as tf

from components.model import precision
from components.model.network import Network, build_network, freeze, unfreeze
from components.model.twin import forward, twin
from components.settings.model import Head
from components.trainer.boundary import split_at
from components.trainer.learner import make_learner

_SIZE, _BATCH, _CLASSES = 299, 16, 2
_ROUNDS, _BATCHES = 6, 2
_KERAS, _FOLDED = "Keras, float32", "twin, float32"
_FORWARD, _TOP, _WHOLE = "forward pass", "training above mixed7", "training all layers"
_LEAST = {_FORWARD: 1.8, _TOP: 2.2, _WHOLE: 1.6}

Run = Callable[[], object]


def main() -> None:
    """Measures all three kinds of work."""
    half = precision.resolve("auto")
    keras.utils.set_random_seed(0)
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(_SIZE, _SIZE, 3)
    )
    network = build_network(base, Head(), _CLASSES)
    pixels = tf.random.uniform([_BATCH, _SIZE, _SIZE, 3], -1.0, 1.0)
    precisions: list[str] = list(dict.fromkeys(["float32", half]))
    freeze(base)
    gains = {_FORWARD: _gain(_FORWARD, _forwards(network, pixels, precisions))}
    first = base.layers.index(base.get_layer("mixed7")) + 1
    unfreeze(base, first)
    bottom, top = split_at(base, first)
    inputs = bottom(pixels, training=False)
    inputs = inputs if isinstance(inputs, list) else [inputs]
    gains[_TOP] = _gain(_TOP, _trainings(network, top, inputs, precisions))
    unfreeze(base, 1)
    gains[_WHOLE] = _gain(_WHOLE, _trainings(network, base, [pixels], precisions))
    if half != "float32":
        for what, gain in gains.items():
            least = _LEAST[what]
            show_bound(f"{what}: {gain:.2f} times float32; {least} are promised", gain >= least)


def _forwards(network: Network, pixels: tf.Tensor, precisions: list[str]) -> dict[str, Run]:
    base = network.base
    plain = tf.function(lambda some: base(some, training=False), autograph=False)
    runs = {_name(each): forward(base, each) for each in precisions}
    return {name: functools.partial(run, pixels) for name, run in {_KERAS: plain, **runs}.items()}


def _trainings(
    network: Network, layers: keras.Model, inputs: list[tf.Tensor], precisions: list[str]
) -> dict[str, Run]:
    sides = {_KERAS: layers, **{_name(each): twin(layers, each) for each in precisions}}
    labels = np.eye(_CLASSES, dtype=np.float32)[np.arange(_BATCH) % _CLASSES]
    found: dict[str, Run] = {}
    for name, side in sides.items():
        learner = make_learner([side, *network.pooling, network.head], None, None)
        learner.compile(keras.optimizers.SGD(1e-6), "categorical_crossentropy", jit_compile=False)
        given = inputs if len(inputs) > 1 else inputs[0]
        found[name] = functools.partial(learner.train_on_batch, given, labels)
    return found


def _name(chosen: str) -> str:
    return _FOLDED if chosen == "float32" else f"twin, {chosen}"


def _measure(sides: dict[str, Run]) -> dict[str, tuple[float, float]]:
    """Returns pictures per second, and CPU milliseconds per picture, of each side's best turn."""
    for run in sides.values():
        run()  # it traces
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(_ROUNDS):
        for name, run in sides.items():
            wall, cpu = time.monotonic(), time.process_time()
            for _ in range(_BATCHES):
                run()
            turns[name].append((time.monotonic() - wall, time.process_time() - cpu))
    pictures = _BATCH * _BATCHES
    return {
        name: (pictures / min(wall for wall, _ in some), 1000 * min(c for _, c in some) / pictures)
        for name, some in turns.items()
    }


def _gain(what: str, sides: dict[str, Run]) -> float:
    """Measures and shows the sides; returns how many times as fast as Keras the last one is."""
    found = _measure(sides)
    rows = [
        [name, f"{rate:.1f}", f"{rate / found[_KERAS][0]:.2f}", f"{cpu:.1f}"]
        for name, (rate, cpu) in found.items()
    ]
    columns = ["", "pictures/s", "times", "CPU ms per picture"]
    show_table(f"{what}, InceptionV3 at {_SIZE} pixels, batches of {_BATCH}", columns, rows)
    return found[list(sides)[-1]][0] / found[_KERAS][0]
