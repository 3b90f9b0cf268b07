"""A training as Keras' guide to transfer learning writes it: the other side of `whole_run`.

`python -m benchmarks.plain_keras PICTURES FROZEN UNFROZEN FROM_LAYER SAVED RESULT` fits InceptionV3
on `PICTURES/<split>/<class>/`, so many epochs with the base frozen and so many from a layer on, in
float32, exports a SavedModel to SAVED, evaluates on `test` and writes each epoch's seconds by phase
to RESULT. Nothing of this project's is used in it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import keras

_SIDE, _BATCH = 299, 32


class _Seconds(keras.callbacks.Callback):
    """Notes what each epoch takes, its look at `eval` included."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.found.append(time.monotonic() - self._began)


def main(
    pictures: Path, frozen: int, unfrozen: int, from_layer: str, saved: str
) -> dict[str, list[float]]:
    """Trains, exports and evaluates; returns the seconds of each epoch, by phase."""
    train, validation, test = (
        keras.utils.image_dataset_from_directory(
            pictures / split,
            label_mode="categorical",
            batch_size=_BATCH,
            image_size=(_SIDE, _SIDE),
            shuffle=split == "train",
            verbose=False,
        )
        for split in ("train", "eval", "test")
    )
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(_SIDE, _SIDE, 3), pooling="avg"
    )
    inputs = keras.Input((_SIDE, _SIDE, 3))
    features = base(keras.applications.inception_v3.preprocess_input(inputs), training=False)
    outputs = keras.layers.Dense(len(train.class_names), activation="softmax")(features)
    model = keras.Model(inputs, outputs)
    found = {}
    base.trainable = False
    optimizer = keras.optimizers.Adam(0.005)
    found["frozen"] = _fit(model, optimizer, frozen, train, validation)
    base.trainable = True
    first = [layer.name for layer in base.layers].index(from_layer)
    for layer in base.layers[:first]:
        layer.trainable = False
    optimizer = keras.optimizers.SGD(0.0001, momentum=0.9)
    found["unfrozen"] = _fit(model, optimizer, unfrozen, train, validation)
    model.evaluate(test, verbose=0)
    model.export(saved)
    return found


def _fit(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    epochs: int,
    train: Any,
    validation: Any,
) -> list[float]:
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    seconds = _Seconds()
    model.fit(train, validation_data=validation, epochs=epochs, verbose=0, callbacks=[seconds])
    return seconds.found


if __name__ == "__main__":
    _pictures, _frozen, _unfrozen, _from_layer, _saved, _result = sys.argv[1:]
    _found = main(Path(_pictures), int(_frozen), int(_unfrozen), _from_layer, _saved)
    Path(_result).write_text(json.dumps(_found))
