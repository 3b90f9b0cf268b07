"""A training in a process of its own, whose devices and cluster the caller chooses."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from pipeline.launch import environment

environment.prepare()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from components.backbones import BACKBONES, Backbone  # noqa: E402
from components.fit.seeds import reseed  # noqa: E402
from components.settings.model import Head, Model  # noqa: E402
from components.settings.training import Training  # noqa: E402
from components.trainer import job as job_file  # noqa: E402
from components.trainer.distribution import is_chief, make_strategy  # noqa: E402
from components.trainer.export import export  # noqa: E402
from components.trainer.training_loop import fit  # noqa: E402
from tests.components.trainer.made_training import CLASSES  # noqa: E402


class Tiny(Backbone):
    """Two convolutions in place of a backbone, with MobileNet's scaling and names of layers."""

    def constructor(self, **arguments: Any) -> keras.Model:
        inputs = keras.Input(arguments["input_shape"])
        outputs = keras.layers.Conv2D(4, 3, strides=4, name="conv1")(inputs)
        outputs = keras.layers.BatchNormalization(name="conv1_bn")(outputs)
        outputs = keras.layers.Conv2D(8, 3, name="conv_dw_12")(outputs)
        return keras.Model(inputs, keras.layers.ReLU()(outputs))


class Blank(tf.Module):
    """In place of the Transform graph, whose export takes seconds: every picture is black."""

    size = (32, 32)

    def __call__(self, encoded: tf.Tensor) -> tf.Tensor:
        return tf.zeros([tf.shape(encoded)[0], *self.size, 3])


def first_draws() -> list[list[int]]:
    """Returns the state of each device's random generator at the start of an epoch."""
    generator, strategy = keras.random.SeedGenerator(0), tf.distribute.get_strategy()
    reseed([generator.state], 0, 0)
    states = strategy.run(lambda: tf.identity(generator.state.value))
    return [state.numpy().tolist() for state in strategy.experimental_local_results(states)]


TINY = Tiny("mobilenet", "Tiny", 32, 32, "conv_dw_12", 0.0)


def train(order: dict[str, Any]) -> None:
    """Trains and leaves `figures.json` and `weights.npz` in the folder.

    Args:
      order: `graph`, `split`, `folder` and `training`; `distribution`.
    """
    settings = {**order["training"], "distribution": order.get("distribution", "none")}
    model = Model(backbone="mobilenet", weights=None, head=Head(dropout=0.0, l2=0.01))
    job = job_file.Job(
        model=model,
        training=Training.model_validate(settings),
        classes=CLASSES,
        transform_graph=order["graph"],
        **dict.fromkeys(("train", "eval"), order["split"]),
        bottlenecks=None,
        baseline=[],
    )
    folder = Path(order["folder"])
    folder.mkdir(exist_ok=True)
    offer = Path(order.get("chief", folder)) / "offer.json"
    if folder != offer.parent:
        while not offer.exists():
            time.sleep(0.1)
        job_file.take(str(offer))
        return
    work = str(folder / "work")
    with job_file.offered(job, work, str(offer)):
        with make_strategy(job.training).scope():
            inputs = job.inputs()
            fitted = fit(inputs, str(folder / "logs"), work)
            assert is_chief()
            drawn = [] if "chief" in order else first_draws()
        export(fitted.network, Blank(), "mobilenet", CLASSES, [], str(folder / "1"))
    assert not offer.exists()
    saved = tf.train.load_checkpoint(str(folder / "1" / "variables" / "variables"))
    facts = {
        "epochs": fitted.history.epochs,
        "exported": saved.get_variable_to_shape_map(),
        "drawn": drawn,
    }
    (folder / "figures.json").write_text(json.dumps(facts))
    np.savez(folder / "weights.npz", *fitted.network.classifier.get_weights())


def main(order: dict[str, Any]) -> None:
    """Trains as `train` does, on as many `cpus` as are to be played."""
    BACKBONES["mobilenet"] = TINY
    if "cpus" in order:
        [cpu] = tf.config.list_physical_devices("CPU")
        devices = [tf.config.LogicalDeviceConfiguration()] * order["cpus"]
        tf.config.set_logical_device_configuration(cpu, devices)
    train(order)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
