"""The main job on real pictures: `make demo`.

Trains on solar cells, gates and pushes the model, serves it, and asks it over gRPC for pictures of
the test split, none of which training has seen.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from components.artifacts import ledger_rows
from components.errors import UserError
from pipeline.commands.demo_data import solar_cells
from pipeline.commands.run import Request, execute
from pipeline.launch import environment

_FOLDER = Path("build", "demo")
_PICTURES = 2000
_ASKED = 3
_NAME = "solar-cells"
SMALL = [
    "image.size=[150, 150]",
    "model.features=[mixed6, mixed7, mixed8]",
    "training={frozen: {epochs: 20, learning_rate: 0.0005}, unfrozen: {epochs: 0}}",
]
"""In place of the preset's recipe, so that the demo ends within minutes on two cores: the head
alone is trained, on features of three layers."""


def main() -> int:
    """Runs the demo and returns its exit code: 0 when a model was pushed, or served already."""
    environment.prepare()
    pictures, runs = _FOLDER / "pictures", _FOLDER / "runs"
    print(f"{_PICTURES} pictures of solar cells (elpv-dataset, CC BY-NC-SA 4.0) in {pictures}")
    solar_cells(pictures, _PICTURES, seed=0)
    result = execute(
        Request(preset=_NAME, data=str(pictures), root=str(runs), assignments=[*SMALL])
    )
    if result["verdict"] not in ("pushed", "unchanged"):
        return 1
    _ask(Path(result["model_dir"]), _test_pictures(pictures, runs))
    return 0


def _test_pictures(pictures: Path, runs: Path) -> list[Path]:
    """Draws pictures of the test split, from the newest ingest's ledger."""
    ledgers = (runs / _NAME / "ImageExampleGen" / "ingest_report").glob("*/ledger*")
    newest = max(ledgers, key=lambda path: path.stat().st_mtime).parent
    rows = ledger_rows.read(str(newest), ("file", "split"))
    test = sorted(row["file"] for row in rows if row.get("split") == "test")
    return [pictures / name for name in random.Random(0).sample(test, _ASKED)]


def _ask(model_dir: Path, pictures: list[Path]) -> None:
    from serving.client import Client
    from serving.local_server.process import serving

    print(f"\nThe pushed model over gRPC, {len(pictures)} pictures of the test split:")
    with serving(model_dir, _NAME) as address, Client(address, name=_NAME) as client:
        for picture, answer in zip(pictures, client.classify(pictures), strict=True):
            mark = "right" if answer.classes[0] == picture.parent.name else "wrong"
            scores = zip(answer.classes, answer.scores, strict=True)
            said = ", ".join(f"{name} {score:.3f}" for name, score in scores)
            print(f"  {picture.name}  truth {picture.parent.name:<10}  {said}  ({mark})")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"error: {error}")
