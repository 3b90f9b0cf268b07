"""The command `data diff`: which pictures came, went or changed their label between two runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from components.artifacts import known_pictures
from components.artifacts.known_pictures import Picture
from components.data_validator.changes import compare
from components.errors import MOST_LINES, ConfigError
from pipeline.commands.runs import find_run
from pipeline.store import outputs
from pipeline.store.runs import Run
from serving.names import shown


def diff(
    root: Path,
    names: tuple[str, str],
    *,
    as_json: bool = False,
    everything: bool = False,
    store: str | None = None,
) -> None:
    """Prints the changes from one run's pictures to the other's.

    A picture is what its bytes are: one that was renamed neither came nor went.

    Args:
      root: the folder of runs.
      names: of the runs.
      as_json: prints all of them, for programs.
      everything: prints all pictures, not ten of a kind.
      store: the ML Metadata store, if not the root's.

    Raises:
      ConfigError: a run is not there, or read no pictures.
    """
    before, now = (find_run(root, name, store) for name in names)
    changes = compare(_pictures(before), _pictures(now))
    relabelled = [
        {"file": file, "from": one, "to": other} for file, one, other in changes.relabelled
    ]
    found = {
        "runs": [before.run_id, now.run_id],
        "came": list(changes.added),
        "went": list(changes.gone),
        "relabelled": relabelled,
        "renamed_classes": changes.renamed,
    }
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for line in _lines(found, None if everything else MOST_LINES):
        print(shown(line))


def _pictures(run: Run) -> Sequence[Picture]:
    found = (run.content(outputs.INGEST_REPORT, name) for name in known_pictures.FILES)
    content = next(filter(None, found), None)
    if content is None:
        raise ConfigError(f"Run {run.run_id} has no list of its pictures: it ended before.")
    return known_pictures.parse(content)


def _lines(found: dict[str, Any], most: int | None) -> Iterator[str]:
    for now, before in found["renamed_classes"].items():
        yield f"class {before} is called {now}"
    kinds = {
        "came": [f"came  {file}" for file in found["came"]],
        "went": [f"went  {file}" for file in found["went"]],
        "relabelled": [
            f"relabelled  {row['file']}: {row['from']}, now {row['to']}"
            for row in found["relabelled"]
        ],
    }
    for kind, lines in kinds.items():
        yield from lines[:most]
        if most is not None and len(lines) > most:
            yield f"{kind}  {len(lines) - most} more; --all lists them."
    counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in kinds.items())
    yield f"{counts} from {found['runs'][0]} to {found['runs'][1]}"
