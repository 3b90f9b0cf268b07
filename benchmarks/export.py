"""The exported model in its forms: what is served of each, and the forward pass beside OpenVINO's.

InceptionV3 at 299 pixels with its weights and a head that is fitted on solar cells for a moment, so
that the forms can be seen to agree. The sides take turns, since a machine's speed changes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks import openvino_process
from benchmarks.figures import MB, show_bound, show_table
from benchmarks.ingested import Inputs, ingested
from benchmarks.openvino_process import VERSION
from benchmarks.serving import BATCHING, CLIENTS, rate_of_clients
from serving.quiet_imports import quiet_import

with quiet_import():
    import keras
    import numpy as np
    import tensorflow as tf

from components.artifacts import features
from components.artifacts.saved_model_writer import write_saved_model
from components.artifacts.tfrecords import read_records
from components.model import precision
from components.model.network import Network, freeze
from components.model.transform_graph import Pixels, first_pictures
from components.model.twin import FLOAT32, forward
from components.settings.export import Served
from components.trainer import input as trainer_input
from components.trainer.export import Classifier, export
from serving.local_server.process import serving
from serving.saved_model_session import SavedModelSession

_PICTURES = 200
_ASSIGNMENTS = ["image.size=[299, 299]", "data.splits={train: 5, eval: 4, test: 1}"]
_ROUNDS, _PASSES = 5, 8  # turns of each side: as served, and of the forward pass
_SECONDS = 2.0  # of a forward pass's turn
_BATCHES = (1, 32)
_OF_OPENVINO = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}

UNFOLDED = "float32 as trained"
FOLDED: Literal["float32"] = "float32"
HALF: Literal["bfloat16"] = "bfloat16"
_FORMS = (UNFOLDED, FOLDED, HALF)
FOLDED_GAIN, HALF_GAIN, OF_OPENVINO = 1.08, 1.7, 0.85
"""The bounds that the project states."""


@dataclasses.dataclass(frozen=True)
class Form:
    """The figures of one form of the SavedModel."""

    rates: list[float]  # pictures/s under clients, by round
    size: int  # bytes
    scores: np.ndarray  # [pictures, classes]


Passes = dict[int, list[tuple[float, float]]]
"""By batch size, the pictures per second of the pipeline and of OpenVINO, by round."""


def main() -> None:
    """Measures what is served, then the forward pass."""
    python = openvino_process.environment()
    with (
        ingested(_PICTURES, _ASSIGNMENTS) as inputs,
        tempfile.TemporaryDirectory(prefix="bench-") as scratch,
    ):
        pixels, network = Pixels(inputs.transform_graph), inputs.network()
        freeze(network.base)
        _fit_head(network, pixels, inputs)
        served = _measure_served(_exported(network, pixels, inputs, Path(scratch)), inputs)
        passes = _measure_forward(network, Path(scratch), python) if python else {}
    _show_served(served)
    _show_forward(passes)


def _fit_head(network: Network, pixels: Pixels, inputs: Inputs) -> None:
    """Fits the head on the features of the training split, for a moment."""
    run = forward(network.extractor, precision.resolve("auto"))
    records = read_records(f"{inputs.examples}/Split-{features.TRAIN}")
    batches = list(trainer_input.picture_batches(records, pixels, inputs.classes, _BATCHES[-1]))
    found = np.concatenate([run(some) for some, _ in batches])
    network.head.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy")
    network.head.fit(found, np.concatenate([of for _, of in batches]), epochs=30, verbose=0)


def _exported(network: Network, pixels: Pixels, inputs: Inputs, folder: Path) -> dict[str, Path]:
    """Writes the network in all forms; returns the push directory of each."""
    backbone = inputs.config.model.backbone

    def as_trained(batch: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": network.classifier(batch, training=False)}

    signatures = Classifier(as_trained, pixels, backbone, inputs.classes)
    found = {name: folder / f"form-{number}" for number, name in enumerate(_FORMS)}
    write_saved_model(
        str(found[UNFOLDED] / "1"),
        {"serving_default": signatures.serving_default, "pixels": signatures.of_pixels()},
        {"network": network.classifier.weights},
    )
    for form in (FOLDED, HALF):
        served = Served(precision=form, training_weights=False)
        target = str(found[form] / "1")
        export(network, pixels, backbone, inputs.classes, [], target, served=served)
    return found


def _measure_served(forms: dict[str, Path], inputs: Inputs) -> dict[str, Form]:
    """Has all forms served at once; clients ask one after the other, in rounds."""
    pictures = first_pictures(f"{inputs.examples}/Split-{features.EVAL}", _PICTURES)
    scores = {form: _scores(folder / "1", pictures) for form, folder in forms.items()}
    rates: dict[str, list[float]] = {form: [] for form in forms}
    with contextlib.ExitStack() as servers:
        addresses = {
            form: servers.enter_context(serving(folder, batching_parameters_file=BATCHING))
            for form, folder in forms.items()
        }
        for _ in range(_ROUNDS):
            for form, address in addresses.items():
                rates[form].append(rate_of_clients(address, pictures))
    return {form: Form(rates[form], _size(folder), scores[form]) for form, folder in forms.items()}


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _show_served(found: dict[str, Form]) -> None:
    plain = found[UNFOLDED]
    rows = []
    for name, form in found.items():
        same = (form.scores.argmax(axis=1) == plain.scores.argmax(axis=1)).mean()
        apart = np.abs(form.scores - plain.scores).max()
        rate, gain = statistics.median(form.rates), _gain(form.rates, plain.rates)
        rows.append(
            [name, f"{rate:.1f}", f"{gain:.2f}", f"{form.size / MB:.1f}", f"{same:.3f}"]
            + [f"{apart:.1g}"]
        )
    title = f"Served by the local server; agreement on {len(plain.scores)} pictures"
    columns = ["", f"{CLIENTS} clients, pictures/s", "times", "MB"]
    show_table(title, [*columns, "same class", "score apart"], rows)
    gain = _gain(found[FOLDED].rates, plain.rates)
    text = f"{FOLDED}, folded: {gain:.2f} times as many as unfolded; {FOLDED_GAIN} are promised"
    show_bound(text, gain >= FOLDED_GAIN)
    if precision.resolve("auto") == HALF:
        gain = _gain(found[HALF].rates, found[FOLDED].rates)
        text = f"{HALF}: {gain:.2f} times as many as {FOLDED}; {HALF_GAIN} are promised"
        show_bound(text, gain >= HALF_GAIN)


def _scores(model: Path, pictures: list[bytes]) -> np.ndarray:
    """Returns [pictures, classes] scores, the classes sorted by name."""
    session, found = SavedModelSession(model), []
    for start in range(0, len(pictures), _BATCHES[-1]):
        some = np.array(pictures[start : start + _BATCHES[-1]], object)
        answers = session.run("serving_default", {"inputs": some})
        order = answers["classes"].argsort(axis=1)
        found.append(np.take_along_axis(answers["scores"], order, axis=1))
    session.close()
    return np.concatenate(found)


def _gain(rates: Sequence[float], others: Sequence[float]) -> float:
    """Returns how many times as many, as the median over rounds."""
    return statistics.median(of / to for of, to in zip(rates, others, strict=True))


def _measure_forward(network: Network, folder: Path, python: Path) -> Passes:
    """Runs the frozen base here and in OpenVINO, of the same layers and weights."""
    half = precision.resolve("auto")
    height, width = network.extractor.input_shape[1:3]
    graph, fast = folder / "extractor.pb", forward(network.extractor, half)
    plain: Any = forward(network.extractor, FLOAT32)
    graph.write_bytes(plain.get_concrete_function().graph.as_graph_def().SerializeToString())
    rates: Passes = {batch: [] for batch in _BATCHES}
    with openvino_process.measuring(python, graph, _OF_OPENVINO[half]) as other:
        for _ in range(_PASSES):
            for batch, found in rates.items():
                own = _rate(fast, [batch, height, width, 3])
                found.append((own, other(batch, height, width, _SECONDS)))
    return rates


def _show_forward(passes: Passes) -> None:
    if not passes:
        return
    shares = {batch: _gain(*zip(*found, strict=True)) for batch, found in passes.items()}
    rows = []
    for batch, found in passes.items():
        own, theirs = map(statistics.median, zip(*found, strict=True))
        rows.append([f"batches of {batch}", f"{own:.1f}", f"{theirs:.1f}", f"{shares[batch]:.2f}"])
    half = precision.resolve("auto")
    title = f"The pass of the frozen base in {half}, InceptionV3 at 299 pixels, pictures/s"
    show_table(title, ["", "the pipeline", f"OpenVINO {VERSION}", "share"], rows)
    for batch, share in shares.items():
        text = f"batches of {batch}: {share:.2f} of OpenVINO's pass; {OF_OPENVINO} are promised"
        show_bound(text, share >= OF_OPENVINO)


def _rate(run: Callable[[tf.Tensor], Any], shape: list[int]) -> float:
    """Returns the pictures per second of one function."""
    pixels = tf.random.uniform(shape, -1.0, 1.0, seed=0)
    np.asarray(run(pixels))  # the first one traces and prepares the kernels
    start, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < _SECONDS:
        np.asarray(run(pixels))
        done += shape[0]
    return done / passed
