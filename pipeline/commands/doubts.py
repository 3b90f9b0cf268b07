"""The command `doubts`: the labels in doubt of a run, as a table that `data.corrections` reads."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from components.artifacts import packed_json
from components.artifacts.report_files import DOUBTS
from components.errors import MOST_LINES, ConfigError
from pipeline.commands.new_files import new_text
from pipeline.commands.runs import find_run
from pipeline.store import outputs
from serving.names import cell, shown

_COLUMNS = ("path", "sha256", "label", "labelled", "split", "score", "label_score")


def doubts(
    root: Path,
    name: str,
    *,
    output: Path | None = None,
    everything: bool = False,
    as_json: bool = False,
    store: str | None = None,
) -> None:
    """Prints the labels in doubt of a run, or writes them as CSV.

    Args:
      root: the folder of runs.
      name: of the run.
      output: the file to write, which must not be there.
      everything: lists all pictures that nobody has confirmed, those in doubt first.
      as_json: prints all rows, for programs.
      store: the ML Metadata store, if not the root's.

    Raises:
      ConfigError: there is no such run, it has no doubts, or the file is there already.
    """
    run = find_run(root, name, store)
    content = run.content(outputs.REPORT, DOUBTS)
    if content is None:
        raise ConfigError(
            f"Run {run.run_id} looked for no labels in doubt: it ended before its report, or "
            "report.doubts is 0. Name another run with --run."
        )
    rows = packed_json.unpacked(content)
    chosen = [row for row in rows if everything or row["in_doubt"]]
    if output:
        _write(output, chosen)
    found = {
        "run_id": run.run_id,
        "pictures": len(rows),
        "in_doubt": sum(row["in_doubt"] for row in rows),
        "output": str(output) if output else None,
    }
    if as_json:
        print(json.dumps({**found, "doubts": chosen}, ensure_ascii=False))
        return
    if not output:
        for row in chosen[:MOST_LINES]:
            print(shown(_line(row)))
    print(f"{found['in_doubt']} of {found['pictures']} labels are in doubt.")
    if output:
        print(
            f"{output}: {len(chosen)} rows. Look at each picture, and correct or delete its row; "
            f"then --set data.corrections={output}"
        )
    elif len(chosen) > MOST_LINES:
        print(f"{len(chosen) - MOST_LINES} more; --output FILE.csv writes all.")


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['file']} ({row['split']}): labelled {row['label']} ({row['label_score']:.2f}), "
        f"looks like {row['suggested']} ({row['score']:.2f})"
    )


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    try:
        with new_text(path) as file:
            table = csv.writer(file)
            table.writerow(_COLUMNS)
            for row in rows:
                label = row["suggested"] if row["in_doubt"] else row["label"]
                names = (cell(row["file"]), row["sha256"], cell(label), cell(row["label"]))
                table.writerow([*names, row["split"], row["score"], row["label_score"]])
    except FileExistsError as error:
        raise ConfigError(
            f"--output: {path} is there already, maybe with corrections of yours. Name a new file."
        ) from error
    except OSError as error:
        raise ConfigError(f"--output: {path} can't be written ({error.strerror}).") from error
