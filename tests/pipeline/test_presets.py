"""Each preset builds its recipe's network and optimizers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from components.fit.optimizers import build_optimizer
from components.model.network import Network, build_network, freeze, unfreeze
from components.pretrained.base import build_base, first_unfrozen
from components.settings.training import Phase
from pipeline.config import Config, build, override, preset_about, presets, read_preset

RECIPES = [
    "cats-vs-dogs-inception-v3",
    "feature-extraction-then-fine-tuning",
    "medical-vgg16",
    "mosquito-inception-v3-se",
]


def configured(name: str, *assignments: str) -> Config:
    tree = read_preset(name)
    for assignment in ("data.source=pictures", "push.directory=served", *assignments):
        override(tree, assignment)
    return build(tree)


def network(config: Config, classes: int, size: int) -> Network:
    base = build_base(config.model.backbone, [size, size], None)
    return build_network(base, config.model.head, classes)


def head_layers(made: Network) -> list[tuple[str, object]]:
    """Kind and size of what stands on the base."""
    shown = []
    for layer in (*made.pooling, *made.head.layers):
        if isinstance(layer, keras.layers.Dense):
            activation = keras.activations.serialize(layer.activation)
            shown.append((activation, layer.units))
        elif isinstance(layer, keras.layers.Dropout):
            if layer.rate:
                shown.append(("dropout", layer.rate))
        elif not isinstance(layer, keras.layers.InputLayer):
            shown.append((type(layer).__name__, ""))
    return shown


def learning_layers(made: Network, config: Config) -> list[str]:
    base = made.base
    first = first_unfrozen(base, config.model.backbone, config.training.unfrozen.from_layer)
    unfreeze(base, first)
    return [layer.name for layer in base.layers if layer.trainable_weights]


def optimizer_facts(phase: Phase) -> tuple[str, float, float | None, bool | None]:
    made = build_optimizer(phase, 10)
    return (
        type(made).__name__,
        pytest.approx(float(made.learning_rate)),
        getattr(made, "momentum", None),
        getattr(made, "nesterov", None),
    )


def test_the_recipes_are_there_beside_the_demo() -> None:
    assert presets() == sorted([*RECIPES, "solar-cells"])


def test_cats_vs_dogs_trains_a_new_top_on_a_frozen_inception_v3() -> None:
    config = configured("cats-vs-dogs-inception-v3")
    assert config.image_size == [299, 299]
    made = network(config, 2, 75)
    assert head_layers(made) == [
        ("GlobalAveragePooling2D", ""),
        ("relu", 1024),
        ("softmax", 2),
    ]
    freeze(made.base)
    assert len(made.classifier.trainable_weights) == 4
    frozen, unfrozen = config.training.frozen, config.training.unfrozen
    assert optimizer_facts(frozen)[:2] == ("Adam", 0.005)
    assert (config.training.batch_size, frozen.epochs, unfrozen.epochs) == (32, 10, 0)
    assert frozen.early_stopping == 5
    schedule = frozen.schedule
    assert (schedule.kind, schedule.factor, schedule.patience) == ("plateau", 0.1, 3)


def test_medical_trains_the_top_first_and_then_the_last_block_of_vgg16() -> None:
    config = configured("medical-vgg16")
    made = network(config, 5, 32)
    assert head_layers(made) == [("Flatten", ""), ("relu", 1024), ("relu", 128), ("softmax", 5)]
    assert config.training.frozen.epochs > 0
    assert learning_layers(made, config) == ["block5_conv1", "block5_conv2", "block5_conv3"]
    unfrozen = config.training.unfrozen
    assert optimizer_facts(unfrozen) == ("SGD", 0.001, 0.9, True)
    made_optimizer = build_optimizer(unfrozen, 10)
    made_optimizer.build([keras.Variable(np.zeros(1))])
    made_optimizer.iterations.assign(1_000_000)  # lr / (1 + decay x steps)
    assert float(made_optimizer.learning_rate) == pytest.approx(0.0005)


def test_medical_can_train_all_of_the_architecture_anew() -> None:
    config = configured(
        "medical-vgg16",
        *("model.weights=null", "training.frozen.epochs=0", "training.unfrozen.from_layer=0"),
    )
    made = network(config, 5, 32)
    assert len(learning_layers(made, config)) == 13


def test_medical_can_stop_at_a_classifier_on_stored_features() -> None:
    config = configured("medical-vgg16", "training.unfrozen.epochs=0")
    assert config.training.frozen.features == "cached"


def test_the_textbooks_order_in_both_its_forms() -> None:
    config = configured("feature-extraction-then-fine-tuning")
    made = network(config, 3, 75)
    assert head_layers(made) == [
        ("GlobalAveragePooling2D", ""),
        ("dropout", 0.2),
        ("softmax", 3),
    ]
    assert config.training.frozen.features == "cached"
    freeze(made.base)
    assert len(made.classifier.trainable_weights) == 2
    names = [layer.name for layer in made.base.layers]
    learning = learning_layers(made, config)
    assert learning
    assert all(names.index(name) > names.index("mixed7") for name in learning)
    assert optimizer_facts(config.training.unfrozen) == ("SGD", 1e-4, 0.9, False)
    other = configured(
        "feature-extraction-then-fine-tuning",
        "training.frozen.features=end_to_end",
        "training.augmentation.horizontal_flip=true",
    )
    assert other.training.augmentation.active


def test_mosquito_has_a_connected_block_and_trains_the_last_layers() -> None:
    config = configured("mosquito-inception-v3-se")
    assert config.image_size == [224, 224]
    made = network(config, 5, 75)
    assert head_layers(made) == [
        ("GlobalAveragePooling2D", ""),  # squeeze
        ("relu", 512),
        ("sigmoid", 2048),
        ("Multiply", ""),
        ("Flatten", ""),
        *(("relu", 1024), ("dropout", 0.5)) * 2,
        ("relu", 1024),
        ("softmax", 5),
    ]
    assert made.head.get_layer("pooling").input is made.head.get_layer("reweigh").output
    assert len(made.base.layers) - 86 == config.training.unfrozen.from_layer
    for phase in (config.training.frozen, config.training.unfrozen):
        assert optimizer_facts(phase) == ("SGD", 1e-4, 0.9, False)
    augmentation = config.training.augmentation
    assert augmentation.model_dump(exclude_defaults=True) == {
        **dict.fromkeys(("shift", "shear", "zoom"), 0.2),
        "rotation": 40,
        "horizontal_flip": True,
    }
    assert augmentation.fill_mode == "nearest"
    assert config.training.frozen.features == "end_to_end"


def test_mosquito_without_the_block_is_the_same_but_for_it() -> None:
    config = configured("mosquito-inception-v3-se", "model.head.squeeze_excitation=null")
    assert head_layers(network(config, 5, 75))[:2] == [("Flatten", ""), ("relu", 1024)]


def test_what_a_preset_is_about_is_its_whole_first_sentence() -> None:
    assert preset_about("medical-vgg16") == (
        "Medical pictures among ordinary ones, five classes, by VGG16."
    )
    assert preset_about("solar-cells").endswith("flipped at random.")
