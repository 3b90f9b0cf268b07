"""The commands `runs`, `compare` and `report`: read the runs of a root from ML Metadata."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from components.artifacts.report_files import CONFIGURATION, REPORT_PAGE
from components.errors import ConfigError
from components.files.paths import is_remote
from components.settings import metadata
from pipeline.commands.run_differences import shortened
from pipeline.store import metadata_store, outputs, runs
from pipeline.store.root import failed_folder, is_held, options_of, store_in
from serving.names import shown

_UNLIMITED = 10_000  # columns
_NAMES, _BESIDE = 12, 18  # columns: of names at least; of changes, and between all of them
_OF_CONFIG = "config: "

Rows = Iterator[tuple[str, Any, Any]]


def list_runs(root: Path, as_json: bool, store: str | None = None) -> None:
    """Prints a line per run, the newest first.

    Raises:
      ConfigError: the folder is not a root of runs.
    """
    rows = known_runs(root, store)
    if as_json:
        print(json.dumps(rows))
        return
    # What other commands ask for comes first: a narrow terminal cuts at the right.
    whole = {"run": "run_id", "verdict": "verdict", "version": "pushed_version"}
    rest = {"accuracy": "accuracy", "date": "date", "data": "data"}
    columns = [_whole(name, *(row[key] for row in rows)) for name, key in whole.items()]
    table = Table(*columns, *rest, box=box.SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*(_written(row[key]) for key in (whole | rest).values()))
    _print(table)


def known_runs(root: Path, store: str | None = None) -> list[dict[str, Any]]:
    """Returns what `runs --json` prints of each run, the newest first.

    Raises:
      ConfigError: the folder is not a root of runs.
    """
    return [_row(run) for run in _all(root, connected(root, store))]


def _all(root: Path, connection: Any) -> Iterator[runs.Run]:
    """Yields the runs of a root, the newest first."""
    held = is_held(root)
    for run_id in runs.run_ids(connection):
        run = runs.read_run(connection, run_id)
        run.running = held and run.unfinished
        yield run


def page(
    root: Path, file: Path | None, as_json: bool, store: str | None = None, opened: bool = False
) -> None:
    """Writes the page of a root and prints its path.

    Args:
      root: the folder of runs.
      file: the page; None: `runs.html` in the root.
      as_json: prints {"page": its path, "runs": what `runs --json` prints}.
      store: the ML Metadata store, if not the root's.
      opened: shows it in the browser, too.

    Raises:
      ConfigError: the folder is not a root of runs, or the page can't be written.
    """
    from pipeline.commands import browser, runs_page

    connection = connected(root, store)
    found = list(_all(root, connection))
    target = (file or root / runs_page.PAGE).absolute()
    try:
        runs_page.write(root, found, target)
    except OSError as error:
        raise ConfigError(
            f"--page: {target} can't be written: {error}. Name a file that can."
        ) from error
    whole = {"page": str(target), "runs": [_row(run) for run in found]}
    print(json.dumps(whole) if as_json else target)
    if opened:
        browser.show(target)


def compare(
    root: Path,
    names: tuple[str, str],
    as_json: bool,
    store: str | None = None,
    everything: bool = False,
) -> None:
    """Prints verdicts, metrics and configuration differences of two runs side by side.

    Args:
      root: the folder of runs.
      names: of the two runs, as `runs.find` takes them.
      as_json: prints all rows, for programs.
      store: the ML Metadata store, if not the root's.
      everything: prints the rows, too, that are the same or one of many.

    Raises:
      ConfigError: the folder is not a root of runs, or a run is not in it.
    """
    connection = connected(root, store)
    both = [runs.find(connection, name) for name in names]
    rows = list(_compared(*both))
    if as_json:
        found = {run.run_id: {key: row[at] for key, *row in rows} for at, run in enumerate(both)}
        print(json.dumps(found))
        return
    told, notes = (rows, []) if everything else shortened(rows)
    columns = _side_by_side([key for key, *_ in told], [run.run_id for run in both])
    table = Table(*columns, "change", box=box.SIMPLE, pad_edge=False)
    for key, *values in told:
        cells = map(_written, values) if key.startswith(_OF_CONFIG) else map(_text, values)
        change = "" if key.startswith(_OF_CONFIG) else _change(*values)
        table.add_row(escape(shown(key)), *cells, change)
    if told:
        _print(table)
    if notes:
        print(f"{shown('; '.join(notes))}. --all shows them.")


def report(
    root: Path, name: str, store: str | None = None, opened: bool = False, as_json: bool = False
) -> None:
    """Prints the path of a run's page.

    Args:
      root: the folder of runs.
      name: of the run, as `runs.find` takes it.
      store: the ML Metadata store, if not the root's.
      opened: shows the page in the browser, too.
      as_json: prints {"run_id", "page"}, for programs.

    Raises:
      ConfigError: the folder is not a root of runs, or the run is not there or has no page.
    """
    connection = connected(root, store)
    run = runs.find(connection, name)
    found = _page_of(root, run)
    if found is None and name == runs.LATEST:
        pages = ((each, _page_of(root, each)) for each in _all(root, connection))
        without, (run, found) = run, next((pair for pair in pages if pair[1]), (run, None))
        if found:
            told = f"Run {without.run_id} has no page; this one is of run {run.run_id}, the newest"
            print(f"{told} that has.", file=sys.stderr)
    if found is None:
        raise ConfigError(
            f"Run {run.run_id} has no page: it ended before its Report, still runs, or the page was"
            " deleted. Name another one: "
            f"`{shlex.join(['transfer-pipeline', 'runs', *options_of(root, store)])}` lists all."
        )
    if opened and is_remote(found):
        raise ConfigError(f"--open: {found} is no file of this machine.")
    print(json.dumps({"run_id": run.run_id, "page": found}) if as_json else found)
    if opened:
        from pipeline.commands import browser

        browser.show(Path(found))


def _page_of(root: Path, run: runs.Run) -> str | None:
    """Returns the path of a run's page; None where there is none."""
    made = run.outputs.get(outputs.REPORT)
    if made and is_remote(made.uri):
        return f"{made.uri}/{REPORT_PAGE}"
    folder = Path(made.uri) if made else failed_folder(root, run.run_id)
    page = folder.absolute() / REPORT_PAGE
    return str(page) if page.is_file() else None


def _whole(heading: str, *cells: Any) -> Column:
    """Returns a column in which these are not cut: other commands ask for whole ids."""
    width = max((len(shown(cell)) for cell in cells if cell is not None), default=0)
    return Column(escape(shown(heading)), min_width=width, overflow="fold")


def _side_by_side(keys: list[str], ids: list[str]) -> list[Column]:
    """Returns the columns of names and runs: ids are whole, names and long cells are folded."""
    room = _console().width - _BESIDE
    names = min(
        max((len(shown(key)) for key in keys), default=0),
        max(_NAMES, room - sum(map(len, ids))),
    )
    columns = [Column("", max_width=names, overflow="fold")]
    for column, run_id in zip((_whole(each, each) for each in ids), ids, strict=True):
        column.max_width = max(len(shown(run_id)), (room - names) // len(ids))
        columns.append(column)
    return columns


def _print(table: Table) -> None:
    _console().print(table)


def _console() -> Console:
    """Returns a console, as wide as what it prints where no terminal limits it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNLIMITED
    return console


def connected(root: Path, store: str | None) -> Any:
    """The named store, or the file in the root."""
    named = store or store_in(root)
    if not metadata.is_url(named) and not Path(named).is_file():
        key = f"--metadata: no file {named}" if store else f"--root: {root} has no metadata.sqlite"
        raise ConfigError(
            f"{key}; no run was made there. Where runtime.metadata names another store, name it "
            "with --metadata."
        )
    try:
        metadata.check_url(named)
    except ValueError as error:
        raise ConfigError(
            f"--metadata: {error}. Name the store that runtime.metadata names."
        ) from error
    metadata_store.check_whole(named)
    return metadata_store.with_password(metadata.connection_config(named))


def find_run(root: Path, name: str, store: str | None = None) -> runs.Run:
    """Returns the run with this id, or the only one whose id begins so; `latest`, `previous`.

    Raises:
      ConfigError: the folder is not a root of runs, or the run is not in it.
    """
    connection = connected(root, store)
    return runs.find(connection, name)


def _row(run: runs.Run) -> dict[str, Any]:
    accuracy = _metrics(run).get("accuracy")
    return {
        "run_id": run.run_id,
        "date": run.date,
        "data": _data(run),
        "accuracy": accuracy and round(accuracy, 4),
        "verdict": run.verdict,
        "pushed_version": run.pushed_version,
    }


def _data(run: runs.Run) -> str | None:
    ingest = run.document(outputs.INGEST_REPORT, "report.json")
    return ingest and f"{ingest['accepted']} pictures, {ingest['fingerprint'][:8]}"


def _metrics(run: runs.Run) -> dict[str, Any]:
    verdict = run.document(outputs.VERDICT, "verdict.json")
    return verdict["metrics"]["candidate"] if verdict else {}


def _compared(one: runs.Run, other: runs.Run) -> Rows:
    for key in ("date", "verdict", "pushed_version"):
        yield key, getattr(one, key), getattr(other, key)
    yield "data", _data(one), _data(other)
    for key, *values in _differing(
        *(run.document(outputs.REPORT, CONFIGURATION) for run in (one, other))
    ):
        yield f"{_OF_CONFIG}{key}", *values
    figures = [dict(_figures(_metrics(run))) for run in (one, other)]
    for key in dict.fromkeys([*figures[0], *figures[1]]):
        yield key, figures[0].get(key), figures[1].get(key)
    gates = [
        {f"gate: {row['metric']} ({row['slice']})": row for row in run.gate} for run in (one, other)
    ]
    for key in dict.fromkeys([*gates[0], *gates[1]]):
        yield key, _judged(gates[0].get(key)), _judged(gates[1].get(key))


def _figures(metrics: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yields the metrics of all pictures, then those of each class."""
    for key, value in metrics.items():
        if isinstance(value, int | float):
            yield key, value
    for figure in ("recall", "precision", "f1", "auc"):
        for name, value in metrics.get(f"class_{figure}", {}).items():
            yield f"{figure} ({name})", value


def _differing(one: Any, other: Any) -> Rows:
    """Yields the keys that differ; nothing where a run ended before its report."""
    if one is None or other is None:
        return
    settings = [dict(_settings(configuration)) for configuration in (one, other)]
    for key in dict.fromkeys([*settings[0], *settings[1]]):
        values = settings[0].get(key), settings[1].get(key)
        if values[0] != values[1]:
            yield key, *values


def _settings(section: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The configuration's values by their keys' whole path; lists are one value."""
    if not isinstance(section, dict):
        yield key, section
        return
    for name, value in section.items():
        yield from _settings(value, f"{key}.{name}" if key else name)


def _judged(row: dict[str, Any] | None) -> str | None:
    if row is None:
        return None
    return f"{'pass' if row['passed'] else 'FAIL'}, needed {row['needed']}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else escape(shown(value))


def _written(value: Any) -> str:
    """Returns a value as it is, no digit less; nothing of None."""
    return "" if value is None else escape(shown(value))


def _change(one: Any, other: Any) -> str:
    if isinstance(one, float) and isinstance(other, float):
        return f"{other - one:+.4f}" if other != one else "="
    return ""
