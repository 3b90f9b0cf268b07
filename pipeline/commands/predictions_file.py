"""`report --predictions` and `--mistakes`: the candidate's predictions for `test` as files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.artifacts import packed_json, parquet, prediction_rows
from components.artifacts.predictions import (
    CANDIDATE,
    MODELS,
    Predictions,
    read_batches,
    read_from,
)
from components.artifacts.report_files import CONFIGURATION, DOUBTS
from components.errors import ConfigError
from components.files.paths import is_remote
from pipeline.commands.new_files import new_text
from pipeline.commands.runs import find_run
from pipeline.store import outputs, runs
from serving.names import cell, shown

if TYPE_CHECKING:
    import pyarrow as pa

_TEST = "test"
_COLUMNS = ("file", "truth", "prediction", "score", "split", "in_doubt")


class Predicted(NamedTuple):
    """One test picture, as the candidate of a run classified it."""

    file: str
    truth: str
    prediction: str
    score: float  # of the predicted class, in [0, 1]
    in_doubt: bool | None  # its label; None where the run has not judged it
    certain: bool | None  # None where the candidate does not tell


def write_files(
    root: Path,
    name: str,
    predictions: Path | None,
    mistakes: Path | None,
    store: str | None = None,
    as_json: bool = False,
) -> None:
    """Writes a run's predictions as CSV, copies its mistakes, or both, and prints a line of each.

    Args:
      root: the folder of runs.
      name: of the run.
      predictions: the file to write, which must not be there.
      mistakes: the folder to make, which must not be there.
      store: the ML Metadata store, if not the root's.
      as_json: prints {"run_id", "predictions": {"file", "pictures"}, "mistakes": {"folder",
        "pictures", "copied"}}, for programs; null for what was not asked for.

    Raises:
      ConfigError: there is no such run, it predicted nothing, or file or folder are there already.
      UserError: the data source can't be read.
    """
    for option, path in (("--predictions", predictions), ("--mistakes", mistakes)):
        if path is not None and (path.exists() or path.is_symlink()):
            raise ConfigError(f"{option}: {shown(path)} is there already. Name a new one.")
    run = find_run(root, name, store)
    rows = predicted(run)
    told: dict[str, Any] = {"run_id": run.run_id, "predictions": None, "mistakes": None}
    lines: list[str] = []
    if predictions is not None:
        _write_table(predictions, rows)
        told["predictions"] = {"file": str(predictions), "pictures": len(rows)}
        lines.append(f"{shown(predictions)}: {len(rows)} predictions for the split test.")
    if mistakes is not None:
        wrong = [row for row in rows if row.prediction != row.truth]
        copied = _copy_mistakes(run, mistakes, wrong) if wrong else 0
        told["mistakes"] = {"folder": str(mistakes), "pictures": len(wrong), "copied": copied}
        lines += _told(mistakes, len(rows), len(wrong), copied)
    print(json.dumps(told) if as_json else "\n".join(lines))


def predicted(run: runs.Run) -> list[Predicted]:
    """Returns the candidate's predictions for `test`, by file.

    Raises:
      ConfigError: the run ended before its Evaluator, or its predictions were deleted.
    """
    found = read_predictions(run)
    rows = run.content(outputs.REPORT, DOUBTS)
    judged = packed_json.unpacked(rows) if rows else []
    doubts = {row["file"]: row["in_doubt"] for row in judged if row["split"] == _TEST}
    scores, best = found.scores[CANDIDATE], found.predicted[CANDIDATE]
    return [
        Predicted(
            file,
            found.classes[found.labels[at]],
            found.classes[best[at]],
            float(scores[at, best[at]]),
            doubts.get(file),
            None if found.certain is None else bool(found.certain[at]),
        )
        for at, file in enumerate(found.files)
    ]


def read_predictions(run: runs.Run) -> Predictions:
    """Returns the predictions of a run, wherever they lie.

    Raises:
      ConfigError: the run ended before its Evaluator, or its predictions were deleted.
    """
    made = run.outputs.get(outputs.PREDICTIONS)
    if made is not None and is_remote(made.uri):
        return read_from(made.uri)
    folder = Path(made.uri) if made is not None else None
    if folder is None or not (folder / MODELS).is_file():
        raise ConfigError(
            f"Run {run.run_id} has no predictions: it ended before its Evaluator, or they were "
            "deleted. `transfer-pipeline runs`, with the same --root, lists the others."
        )
    models = json.loads((folder / MODELS).read_text("utf-8"))
    return read_batches(models, _batches(folder))


def _batches(folder: Path) -> Iterator[pa.RecordBatch]:
    for path in sorted(folder.glob(f"{prediction_rows.ROWS}-*")):
        if path.suffix == parquet.SUFFIX:
            yield from prediction_rows.batches(str(path))
        else:
            with path.open(encoding="utf-8") as file:
                yield from prediction_rows.of_lines(file)


def _write_table(path: Path, rows: list[Predicted]) -> None:
    certain = any(row.certain is not None for row in rows)
    try:
        with new_text(path) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([*_COLUMNS, *(["certain"] if certain else [])])
            for row in rows:
                names = (cell(row.file), cell(row.truth), cell(row.prediction))
                answer = [*names, row.score, _TEST, _word(row.in_doubt)]
                table.writerow([*answer, *([_word(row.certain)] if certain else [])])
    except OSError as error:
        raise ConfigError(
            f"--predictions: {shown(path)} can't be written ({error.strerror}). Name a file "
            "that can."
        ) from error


def _word(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _told(folder: Path, pictures: int, wrong: int, copied: int) -> Iterator[str]:
    """Yields what people read of the mistakes."""
    if not wrong:
        yield f"All {pictures} test pictures were classified correctly: nothing was copied."
        return
    yield f"{shown(folder)}: {copied} of {wrong} mistakes were copied."
    if wrong > copied:
        yield f"{wrong - copied} are no longer in the data source, or can't be read there."


def _copy_mistakes(run: runs.Run, folder: Path, wrong: list[Predicted]) -> int:
    """Copies pictures into DIR/TRUTH/as-PREDICTION/NAME; returns how many are still there."""
    read_picture = _source(run)
    copied = 0
    try:
        folder.mkdir(parents=True)
        for row in wrong:
            content = read_picture(row.file)
            if content is None:
                continue
            place = folder / _part(row.truth) / f"as-{_part(row.prediction)}"
            place.mkdir(parents=True, exist_ok=True)
            with _free(place, row.file).open("xb") as file:
                file.write(content)
            copied += 1
    except OSError as error:
        raise ConfigError(
            f"--mistakes: {shown(folder)} can't be written ({error.strerror}). Name a folder "
            "that can."
        ) from error
    return copied


def _source(run: runs.Run) -> Any:
    """Returns a function that returns a picture's bytes by its name; None for one that is gone."""
    from components.image_example_gen import sources
    from components.settings.data import Data

    configuration = run.document(outputs.REPORT, CONFIGURATION)
    if configuration is None:
        raise ConfigError(
            f"Run {run.run_id} ended before its report, which holds where its data lies. Name "
            "another run."
        )
    data = Data(**configuration["data"])
    if any(is_remote(source) for source in data.sources):
        raise ConfigError(
            "--mistakes copies from a folder on this machine; the data of run "
            f"{run.run_id} lies in {', '.join(data.sources)}. --predictions lists the mistakes."
        )
    known = {file.name: file for file in sources.scan(data).files}

    def content(name: str) -> bytes | None:
        try:
            return sources.content(known[name]) if name in known else None
        except OSError:
            return None

    return content


def _part(name: str) -> str:
    """Returns a class name as one folder's name: a manifest's may hold slashes or dots alone."""
    part = shown(name).replace("/", "_").replace("\\", "_")
    return part if part.strip(".") else "_" * max(len(part), 1)


def _free(folder: Path, file: str) -> Path:
    """Returns a path for a copy: pictures of several folders may have one name."""
    name = Path(_part(file.rpartition("/")[2]))
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{name.stem}-{number}{name.suffix}"
    return path
