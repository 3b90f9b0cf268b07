"""Bytes that a run writes per picture, by component, apart from those that any run writes.

From two runs on different numbers of pictures: the difference grows with the pictures, the rest
(models, logs, metadata) does not. InceptionV3, whose pooled features are the widest of the
registered backbones (2,048 floats).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import noise_pictures
from benchmarks.figures import MB, show_bound, show_table
from benchmarks.measured_run import measured_run

_COUNTS = (60, 180)
_SIDE = 75
_ALLOWED = 12_000  # bytes per picture beside the picture itself
_ASSIGNMENTS = [
    "model.backbone=inception_v3",
    "model.weights=null",
    f"image.size=[{_SIDE}, {_SIDE}]",
    "training.frozen.epochs=1",
    "training.unfrozen.epochs=1",
    "training.unfrozen.from_layer=mixed10",
    "gate.min_accuracy=0",
    "gate.min_class_recall=0",
    "gate.beats_majority_class=false",
]


def main() -> None:
    """Runs the pipeline on two numbers of pictures and compares what they wrote."""
    few, many = (_written(count) for count in _COUNTS)
    more = _COUNTS[1] - _COUNTS[0]
    per_picture = {name: (many[name] - few[name]) / more for name in many}
    rows = [
        [name, f"{per_picture[name]:,.0f}", f"{(few[name] - _COUNTS[0] * each) / MB:.2f}"]
        for name, each in sorted(per_picture.items(), key=lambda part: -part[1])
    ]
    title = f"Bytes written by runs on {_COUNTS[0]} and {_COUNTS[1]} pictures"
    show_table(title, ["", "per picture", "constant part, MB"], rows)
    source = per_picture.pop("(the pictures themselves)")
    written = sum(per_picture.values())
    show_bound(
        f"{written:,.0f} bytes per picture, {written - source:,.0f} more than its file's "
        f"{source:,.0f}; {_ALLOWED:,} more are allowed",
        written <= source + _ALLOWED,
    )


def _written(count: int) -> dict[str, int]:
    """Returns the bytes below each part of the root, and those of the pictures."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures, root = Path(scratch, "pictures"), Path(scratch, "runs")
        size = noise_pictures.make(pictures, count, _SIDE)
        measured_run(pictures, root, _ASSIGNMENTS)
        written = {"(the pictures themselves)": size}
        components = root / "image-classifier"
        for part in [*components.iterdir(), *root.iterdir()]:
            if part != components:
                written[part.name] = _bytes_below(part)
    return written


def _bytes_below(path: Path) -> int:
    files = [path, *path.rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file())
