"""Fits the classifier in two phases and exports the best one by the `eval` split."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import keras
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils

from components import artifact_types, features
from components.backbones import build_base, first_unfrozen
from components.class_weights import balanced
from components.errors import TrainingError
from components.network import build_classifier, build_extractor, build_head, freeze, unfreeze
from components.random_base import build_random_base
from components.settings.model import Model
from components.settings.training import Training
from components.trainer import input as trainer_input
from components.trainer.export import WARMUP_PICTURES, export, smallest
from components.trainer.phases import Record, Split, fit_phase
from components.transform_graph import Pixels, first_pictures
from components.weights_driver import weights_file


class Executor(base_executor.BaseExecutor):
    """Reads one run's inputs; `Do` is called once."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        self._inputs = input_dict
        self._model = Model.model_validate_json(exec_properties["network"])
        self._training = Training.model_validate_json(exec_properties["training"])
        self._classes = artifact_types.read(
            artifact_utils.get_single_instance(input_dict["class_list"])
        )
        self._pixels = Pixels(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        self._logs = artifact_utils.get_single_uri(output_dict["model_run"])
        base = self._base()
        # Before the head is made: it seeds its weights, dropout and shuffling.
        keras.utils.set_random_seed(self._training.seed)
        classifier, record = self._fit(base)
        if record.best_epoch is None:
            raise TrainingError(
                "The loss on the eval split was no number in any epoch: the training diverged. "
                "Lower training.frozen.learning_rate or training.unfrozen.learning_rate."
            )
        self._write(classifier, record, artifact_utils.get_single_uri(output_dict["model"]))

    def _base(self) -> keras.Model:
        backbone, weights = self._model.backbone, weights_file(self._model)
        if weights is None and "bottlenecks" in self._inputs:
            bottlenecks = artifact_utils.get_single_instance(self._inputs["bottlenecks"])
            weights = Path(artifact_types.path_in(bottlenecks, artifact_types.RANDOM_BASE))
        if weights is None:
            train = self._folder(features.TRAIN)
            return build_random_base(backbone, self._pixels, train, self._training.seed)
        return build_base(backbone, self._pixels.size, weights)

    def _fit(self, base: keras.Model) -> tuple[keras.Model, Record]:
        extractor = build_extractor(base, self._model.head)
        head = build_head(self._model.head, extractor.output_shape[-1], len(self._classes))
        classifier = build_classifier(extractor, head)
        record, class_weight = Record(), self._class_weight()

        freeze(base)
        frozen, unfrozen = self._training.frozen, self._training.unfrozen
        if frozen.features == "cached":
            data = self._bottlenecks(head.input_shape[-1]) if frozen.epochs else None
            learner = head
        else:
            data, learner = self._pictures(), classifier
        if data:
            fit_phase("frozen", learner, data, frozen, class_weight, record, self._logs)

        unfreeze(base, first_unfrozen(base, self._model.backbone, unfrozen.from_layer))
        pictures = self._pictures()
        fit_phase("unfrozen", classifier, pictures, unfrozen, class_weight, record, self._logs)
        return classifier, record

    def _bottlenecks(self, width: int) -> Split:
        def batches(split: str, seed: int | None) -> Any:
            folder = artifact_utils.get_single_uri(self._inputs["bottlenecks"])
            return trainer_input.bottleneck_batches(
                os.path.join(folder, f"Split-{split}"),
                width,
                self._classes,
                self._training.batch_size,
                seed,
            )

        return Split(batches(features.TRAIN, self._training.seed), batches(features.EVAL, None))

    def _pictures(self) -> Split:
        def batches(split: str, seed: int | None) -> Any:
            return trainer_input.picture_batches(
                self._folder(split), self._pixels, self._classes, self._training.batch_size, seed
            )

        return Split(batches(features.TRAIN, self._training.seed), batches(features.EVAL, None))

    def _folder(self, split: str) -> str:
        return artifact_utils.get_split_uri(self._inputs["examples"], split)

    def _class_weight(self) -> dict[int, float] | None:
        if self._training.class_weights is None:
            return None
        weights = balanced(trainer_input.count_classes(self._folder(features.TRAIN)))
        return {self._classes.index(name): weight for name, weight in weights.items()}

    def _write(self, classifier: keras.Model, record: Record, model: str) -> None:
        warmup = smallest(first_pictures(self._folder(features.TRAIN), 8 * WARMUP_PICTURES))
        serving = path_utils.serving_model_dir(model)
        export(classifier, self._pixels, self._classes, warmup, serving)
        # Keras writes to local paths only.
        classifier.save(os.path.join(model, "model.keras"))
        with fileio.open(os.path.join(self._logs, "history.json"), "w") as file:
            json.dump({"epochs": record.epochs, "best": record.best_epoch}, file, indent=1)
