"""Made rows of a ledger and of predictions, without pictures: what the steps do with them.

`python -m benchmarks.made_rows PART ROWS FOLDER RESULT` does one part in a process of its own, so
that its peak is its own, and writes the seconds of CPU and the peak of memory into RESULT.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured_run import begin_peak, peak

CLASSES = [f"class {number}" for number in range(10)]
_PIECE = 20_000  # rows of a made file
_LABELS = 10


def name_of(number: int) -> str:
    """Returns the name of a made picture."""
    return f"{CLASSES[number % _LABELS]}/part-{number // 1000:05}/picture-{number:08}.jpg"


def digest_of(number: int) -> bytes:
    """Returns the SHA-256 of a made picture; one in a thousand repeats the one of its class."""
    return hashlib.sha256(str(number - _LABELS * (number % 1000 == 999)).encode()).digest()


def ledger_rows(rows: int) -> Iterator[dict[str, str]]:
    """Yields rows as the workers of the ingest leave them."""
    random = np.random.default_rng(0)
    for start in range(0, rows, _PIECE):
        hashes = random.bytes(40 * _PIECE)
        measures = random.normal(100, 20, (_PIECE, 3)).clip(1).round(1).tolist()
        for at in range(min(_PIECE, rows - start)):
            number = start + at
            yield {
                "file": name_of(number),
                "label": CLASSES[number % _LABELS],
                "sha256": digest_of(number).hex(),
                "difference_hash": hashes[40 * at : 40 * at + 40].hex(),
                "quality": " ".join(map(str, [*measures[at], 640, 480, 60_000 + at])),
                "shard": f"unfinished/examples-{start // _PIECE:032}",
                "at": str(60_000 * at),
            }


def predictions(rows: int) -> Iterator[dict[str, Any]]:
    """Yields rows of the Predictions artifact: candidate and baseline, nine in ten right."""
    random = np.random.default_rng(0)
    for start in range(0, rows, _PIECE):
        count = min(_PIECE, rows - start)
        scores = random.dirichlet(np.ones(_LABELS), (2, count)).astype(np.float32)
        right = random.random((2, count)) < 0.9
        for at in range(count):
            number = start + at
            for model in range(2):
                if right[model, at]:
                    of = scores[model, at]
                    best, own = int(of.argmax()), number % _LABELS
                    of[best], of[own] = of[own], of[best]
            yield {
                **{"file": name_of(number), "sha256": digest_of(number).hex()},
                **{"label": CLASSES[number % _LABELS], "height": 480, "width": 640},
                "columns": "{}",
                **{"candidate": scores[0, at].tolist(), "baseline": scores[1, at].tolist()},
                "certain": None,
            }


def _make_listing(rows: int, folder: Path) -> Callable[[], None]:
    from components.image_example_gen import listing_handover
    from components.image_example_gen.sources import Listing, SourceFile, compressed

    def work() -> None:
        files = compressed(
            SourceFile(f"/data/{name_of(at)}", name_of(at), CLASSES[at % _LABELS], 60_000 + at, at)
            for at in range(rows)
        )
        fingerprint = listing_handover.keep(Listing(files, CLASSES, 0), str(folder))
        del files
        found = listing_handover.kept(str(folder), fingerprint)
        assert found is not None and sum(1 for _ in found.files) == rows

    return work


def _make_ledger(rows: int, folder: Path) -> Callable[[], None]:
    from components.artifacts import known_pictures
    from components.artifacts import ledger_rows as ledger_files
    from components.artifacts.rows import Rows
    from components.image_example_gen import memory
    from components.image_example_gen.ingest_report import ingest_report
    from components.image_example_gen.ledger import Ledger
    from components.image_example_gen.sources import Listing
    from components.settings.data import Data

    left = folder / "unfinished"
    left.mkdir()
    made = ledger_rows(rows)
    for number in range(math.ceil(rows / _PIECE)):
        some = itertools.islice(made, _PIECE)
        with (left / f"ledger-{number:05}").open("w") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in some)

    def lines() -> Iterator[dict[str, str]]:
        for path in sorted(left.iterdir()):
            with path.open() as file:
                yield from map(json.loads, file)

    def work() -> None:
        data, known = Data(source="/data"), memory.read("")
        ledger = Ledger.of(Rows.of(lines()), data, memory=known)
        ledger_files.write(str(folder), ledger.rows().without("shard", "at"))
        memory.write(known.with_(ledger.accepted, None), str(folder))
        known_pictures.write(str(folder), known_pictures.of_rows(ledger.accepted))
        found = ingest_report(Listing([], CLASSES, 0), ledger)
        assert found["accepted"] == rows

    return work


def _make_validation(rows: int, folder: Path) -> Callable[[], None]:
    """The next week: the memory is read, and the pictures are compared with those before."""
    from components.artifacts import known_pictures
    from components.data_validator.changes import compare
    from components.image_example_gen import memory

    _make_ledger(rows, folder)()

    def work() -> None:
        known = memory.read(str(folder))
        assert known.is_part_of(memory.read(str(folder)))
        before = known_pictures.read(str(folder))
        now = known_pictures.read(str(folder))
        assert before is not None and now is not None
        assert not compare(before, now).added

    return work


def _make_predictions(rows: int, folder: Path) -> Path:
    import pyarrow as pa
    from pyarrow import parquet as pq

    from components.artifacts import prediction_rows

    folder = folder / "predictions"
    folder.mkdir()
    models = {"candidate": {"classes": CLASSES}, "baseline": {"version": "1", "classes": CLASSES}}
    (folder / "models.json").write_text(json.dumps(models))
    made = predictions(rows)
    for number in range(math.ceil(rows / _PIECE)):
        some = list(itertools.islice(made, _PIECE))
        table = pa.Table.from_pylist(some, schema=prediction_rows.SCHEMA)
        pq.write_table(table, folder / f"predictions-{number:05}.parquet")
    return folder


def _make_evaluation(rows: int, folder: Path) -> Callable[[], None]:
    """The Evaluator's work once the models have answered."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.artifacts import predictions as artifact
    from components.evaluator import measure, verdict
    from components.settings.runtime import Runtime

    made = _make_predictions(rows, folder)

    def work() -> None:
        answered = artifact.read_from(str(made))
        evaluation = str(folder / "evaluation")
        with beam.Pipeline(options=PipelineOptions(Runtime().beam)) as pipeline:
            measure.measure(pipeline, str(made), answered, [], evaluation)
        found = measure.read_metrics(evaluation, "candidate", answered, [])
        assert found.pictures == rows
        assert verdict.served(answered) is not None

    return work


def _make_report(rows: int, folder: Path) -> Callable[[], None]:
    """Reads predictions and ledger as the report does."""
    from components.artifacts import ledger_rows as ledger_files
    from components.artifacts import predictions as artifact
    from components.report.picture_predictions import (
        answers_of,
        changed_sides,
        confusion,
        surest,
        worst_mistakes,
    )

    _make_ledger(rows, folder)()
    made = _make_predictions(rows, folder)

    def work() -> None:
        answered = artifact.read_from(str(made))
        answers = answers_of(answered)
        shown = [*worst_mistakes(answers, 12), *surest(answers, 12)]
        changed_sides(answered)
        assert confusion(answered).sum() == rows
        ledger_files.places(str(folder), {answer.file for answer in shown})

    return work


PARTS: dict[str, Callable[[int, Path], Callable[[], None]]] = {
    "listing, kept and read": _make_listing,
    "ledger, splits, near-duplicates": _make_ledger,
    "memory and comparison of data": _make_validation,
    "metrics of candidate and baseline": _make_evaluation,
    "predictions in the report": _make_report,
}


def _measured(part: str, rows: int, folder: Path) -> dict[str, float]:
    work = PARTS[part](rows, folder)
    begin_peak()
    began = time.process_time()
    work()
    return {"cpu": time.process_time() - began, "peak": peak()}


if __name__ == "__main__":
    _part, _rows, _folder, _result = sys.argv[1:]
    Path(_result).write_text(json.dumps(_measured(_part, int(_rows), Path(_folder))))
