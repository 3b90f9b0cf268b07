"""Other programs' names of our keys, and examples of values: data for messages about faults."""

from __future__ import annotations

_RATE = ("training.frozen.learning_rate", "training.unfrozen.learning_rate")
_EPOCHS = ("training.frozen.epochs", "training.unfrozen.epochs")
_OPTIMIZER = ("training.frozen.optimizer", "training.unfrozen.optimizer")
_STOPPING = ("training.frozen.early_stopping", "training.unfrozen.early_stopping")
_SCHEDULE = ("training.frozen.schedule.kind", "training.unfrozen.schedule.kind")
_CLIPPING = ("training.frozen.clip_norm", "training.unfrozen.clip_norm")
_DECAY = ("training.frozen.weight_decay", "training.unfrozen.weight_decay")

MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("lr", "lr0", "base_lr", "lr_max", "max_lr", "learning_rate_init"), _RATE),
    **dict.fromkeys(
        ("epoch", "epochs", "n_epoch", "n_epochs", "nb_epoch", "num_epochs", "max_epochs"), _EPOCHS
    ),
    "freeze_epochs": _EPOCHS[:1],
    **dict.fromkeys(("optimizer", "optim", "opt", "opt_func"), _OPTIMIZER),
    **dict.fromkeys(("patience", "early_stopping_patience"), _STOPPING),
    **dict.fromkeys(("scheduler", "lr_scheduler", "lr_schedule", "lrf", "cos_lr"), _SCHEDULE),
    **dict.fromkeys(
        ("clipnorm", "global_clipnorm", "clip_grad", "grad_clip", "gradient_clip_val"), _CLIPPING
    ),
    **dict.fromkeys(("wd", "decay", "l2_regularization"), _DECAY),
    **dict.fromkeys(("mom", "moms"), ("training.frozen.momentum", "training.unfrozen.momentum")),
    **dict.fromkeys(("batch", "bs", "batchsize", "train_batch_size"), ("training.batch_size",)),
    **dict.fromkeys(("class_weight",), ("training.class_weights",)),
    **dict.fromkeys(("amp", "fp16", "half", "mixed_precision"), ("training.precision",)),
    **dict.fromkeys(("random_state", "random_seed"), ("training.seed",)),
    **dict.fromkeys(("augment", "aug", "batch_tfms"), ("training.augmentation",)),
    **dict.fromkeys(
        ("freeze", "freeze_to", "fine_tune_at", "trainable_layers"),
        ("training.unfrozen.from_layer",),
    ),
    **dict.fromkeys(
        (
            "imgsz",
            "img_size",
            "image_size",
            "imagesize",
            "input_shape",
            "input_size",
            "target_size",
            "resolution",
        ),
        ("image.size",),
    ),
    **dict.fromkeys(
        ("arch", "architecture", "base_model", "model_name", "network", "encoder"),
        ("model.backbone",),
    ),
    "pretrained": ("model.weights",),
    **dict.fromkeys(("dropout", "ps", "drop", "dropout_rate"), ("model.head.dropout",)),
    **dict.fromkeys(
        ("data_dir", "dataset", "directory", "path", "train_dir"), ("data.source",)
    ),
    **dict.fromkeys(
        ("validation_split", "val_split", "valid_pct", "test_size"), ("data.splits",)
    ),
    **dict.fromkeys(("project", "save_dir", "output_dir", "model_dir"), ("runtime.root",)),
    "name": ("pipeline_name",),
}  # fmt: skip
"""Our keys by the names that Keras, fastai, Ultralytics, timm, Lightning and scikit-learn use."""

EXAMPLES: dict[str, str] = {
    "image.size": "[96, 96]",
    "export.tflite": "[int8]",
    "model.head.dense": "[{units: 256}]",
    "gate.class_recall": "{cats: 0.9}",
    "gate.class_precision": "{cats: 0.9}",
    "data": "{source: pictures/}",
    "data.source": "pictures/",
    "push": "{directory: served/}",
    "push.directory": "served/",
    "training.unfrozen.from_layer": "mixed7",
    "training.frozen.early_stopping": "3",
    "training.unfrozen.early_stopping": "3",
    "pipeline_name": "solar-cells",
}
"""A value, as YAML has it, of keys whose default shows none."""

FORMS: dict[str, str] = {
    r"^[a-z0-9][a-z0-9-]*$": "lower-case letters, digits and -, first a letter or digit",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable as HOOK_SECRET",
    r"^\d{4}-\d\d-\d\d$": "a date as 2026-01-31",
    r"^/": "an absolute path, from / on",
    r"^(\d*\.)?\d+m?$": "a number of cores as 2, 0.5 or 500m",
    r"^\d+([EPTGMK]i?)?$": "a number of bytes as 512Mi or 4G",
}
"""The values that a pattern of the settings allows, in words."""
