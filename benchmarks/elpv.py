"""Accuracy on all 2,624 solar cells, frozen and unfrozen, beside what was published.

The protocol of Deitsch et al. 2019 (arXiv 1807.02894): defective is a probability over 0.5, 75 %
of the cells train and 25 % test, here drawn anew for each of three splits; a tenth of the training
cells is the split `eval`. Each figure is that of a run of the command on a manifest, by the preset
`solar-cells` or, for phase `frozen`, by what is set below, which was chosen by cross-validation
within the training cells of split 0. It takes hours on two cores and can be stopped, and then shows
what it has: runs that are over are not run again, and a training resumes after its last epoch. What
else the machine does costs time and no accuracy.
"""

from __future__ import annotations

import contextlib
import csv
import json
import statistics
from pathlib import Path

from sklearn.model_selection import train_test_split

from benchmarks.figures import say, show_bound, show_table
from benchmarks.measured_run import OPEN_GATE, answer
from components.files.cache_folder import cache_dir
from pipeline.commands.demo_data import Cell, every_cell

_SPLITS = 3
_PUBLISHED = {"frozen": 82.44, "unfrozen": 88.42}  # SVM; fine-tuned VGG19, in percent
_LEAST = {"frozen": 85.5, "unfrozen": 90.2, "unfrozen, mean over flips": 90.2}
_RECIPES = {
    "frozen": [
        "model.features=[mixed5, mixed6, mixed7, mixed8, mixed9, mixed10]",
        "model.head={standardize: true, l2: 0.03, dropout: 0}",
        "training.frozen={epochs: 150, learning_rate: 0.001, schedule: {kind: cosine}}",
        "training.unfrozen.epochs=0",
        "export.average_flips=true",
    ],
    "unfrozen": ["export.average_flips=[]"],
    "unfrozen, mean over flips": [],
    "unfrozen, labels as probabilities, mean over flips": ["data.label_probability=probability"],
}


def main() -> None:
    """Measures what is not measured yet, and shows all."""
    folder = cache_dir() / "benchmarks" / "elpv"
    folder.mkdir(parents=True, exist_ok=True)
    manifests = [_manifest(seed, folder) for seed in range(_SPLITS)]
    found: dict[str, list[float]] = {}
    with contextlib.suppress(KeyboardInterrupt):
        for name, assignments in _RECIPES.items():
            for manifest in manifests:
                accuracy = _accuracy(manifest, assignments)
                found.setdefault(name, []).append(accuracy)
    rows = []
    for name, accuracies in found.items():
        mean, spread = statistics.mean(accuracies), ""
        if len(accuracies) > 1:
            spread = f" ± {statistics.stdev(accuracies):.2f}"
        each = ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)
        published = f"{_PUBLISHED[name]:.2f}" if name in _PUBLISHED else ""
        rows.append([name, f"{mean:.2f}{spread}", each, published])
        if name in _LEAST and len(accuracies) == _SPLITS:
            least = _LEAST[name]
            show_bound(f"{name}: {mean:.2f} %, at least {least} are promised", mean >= least)
    columns = ["phase", "accuracy, %", "each split", "published, %"]
    show_table(f"2,624 solar cells, 75/25, {_SPLITS} splits", columns, rows)


def _manifest(seed: int, folder: Path) -> Path:
    """Writes the cells with their splits, stratified by class."""
    cells = every_cell()
    labels = [cell.label for cell in cells]
    numbers = list(range(len(cells)))
    known, test = train_test_split(numbers, test_size=0.25, stratify=labels, random_state=seed)
    stratify = [labels[number] for number in known]
    train, judged = train_test_split(known, test_size=0.1, stratify=stratify, random_state=seed)
    path = folder / f"split-{seed}.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "split", "probability"])
        for split, members in (("train", train), ("eval", judged), ("test", test)):
            rows.writerows([*_row(cells[number], split)] for number in sorted(members))
    return path


def _row(cell: Cell, split: str) -> tuple[str, str, str, str]:
    probability = cell.defect if cell.label == "defective" else 1 - cell.defect
    return str(cell.file), cell.label, split, f"{probability:.4f}"


def _accuracy(manifest: Path, assignments: list[str]) -> float:
    """Returns the accuracy on `test` in percent, of a run that is over or that runs now."""
    name = "-".join([manifest.stem, *(word.partition("=")[0] for word in assignments)])
    result = manifest.with_name(f"{name}.json")
    if not result.exists():
        say(f"{manifest.stem}: {', '.join(assignments) or 'as the preset has it'}")
        words = [f"push.directory={manifest.with_name(name) / 'served'}", *assignments, *OPEN_GATE]
        found = answer(
            *("run", "--preset", "solar-cells"),
            *("--data", str(manifest), "--root", str(manifest.with_name(name))),
            assignments=words,
        )
        result.write_text(json.dumps(found))
    return 100 * float(json.loads(result.read_text())["metrics"]["accuracy"])
