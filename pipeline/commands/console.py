"""Shows a run to the user: a line per node, progress in the long ones, a summary.

Everything else that TensorFlow, TFX, Beam and absl print goes to the run's log file.
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from components.errors import MOST_LINES
from components.step import progress
from serving.names import shown, shown_lines, some

_PLAIN_SECONDS = 10  # between two progress lines where the output is not a terminal
_MARKS = {
    "ran": "[green]done[/]",
    "cached": "[cyan]cached[/]",
    "failed": "[red]failed[/]",
    "interrupted": "[yellow]interrupted[/]",
}


@contextmanager
def quiet(log: Path, to_stderr: bool) -> Iterator[Console]:
    """Sends all output of this process to `log` and yields a console on the real output.

    By file descriptor, since TensorFlow's C++ code and child processes write there directly.

    Args:
      log: is appended to.
      to_stderr: keeps standard output for programs and shows people the rest.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {1: os.dup(1), 2: os.dup(2)}
    with (
        open(log, "ab", buffering=0) as file,
        os.fdopen(os.dup(kept[2 if to_stderr else 1]), "w", encoding="utf-8") as file_shown,
    ):
        for descriptor in kept:
            os.dup2(file.fileno(), descriptor)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Escaped("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(logging.INFO)
        logging.captureWarnings(True)  # they name files, too
        try:
            yield _console(file_shown)
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError):  # the log's disk may be full
                    stream.flush()
            logging.captureWarnings(False)
            logging.getLogger().removeHandler(handler)
            for descriptor, copy in kept.items():
                os.dup2(copy, descriptor)
                os.close(copy)


class _Escaped(logging.Formatter):
    """Escapes in every line what would steer a terminal that shows the log."""

    def format(self, record: logging.LogRecord) -> str:
        return shown_lines(super().format(record))


def _console(file: TextIO) -> Console:
    return Console(file=file, highlight=False, soft_wrap=True)


class RunView(logging.Handler):
    """Shows the nodes of a run as they start, progress and end."""

    def __init__(self, console: Console):
        super().__init__()
        self._console = console
        self._status: Status | None = None
        self._label = ""
        self._shown_at = 0.0

    def __enter__(self) -> RunView:
        progress.LOGGER.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        progress.LOGGER.removeHandler(self)
        self._stop()

    def say(self, text: str) -> None:
        """Shows plain text."""
        self._stop()
        self._console.print(escape(shown_lines(text)))

    def node_started(self, node_id: str, position: int, total: int) -> None:
        self._label = f"[{position:2}/{total}] {node_id}"
        self._shown_at = time.monotonic()
        if self._console.is_terminal:
            self._status = self._console.status(escape(self._label))
            self._status.start()
        else:
            self._console.print(escape(f"{self._label} ..."))

    def node_ended(self, node_id: str, state: str, seconds: float) -> None:
        self._stop()
        duration = f"{seconds:6.1f} s" if state != "cached" else ""
        self._console.print(f"{escape(self._label):<32} {_MARKS[state]:<20} {duration}".rstrip())

    def emit(self, record: logging.LogRecord) -> None:
        """Shows progress: at once on a terminal, now and then elsewhere; notes always stay."""
        line = f"{self._label}  {_amount(record)}{record.getMessage()}"
        if getattr(record, "lasting", False):
            self._console.print(escape(shown(line)))
        elif self._status:
            self._status.update(escape(shown(line)))
        elif time.monotonic() - self._shown_at > _PLAIN_SECONDS:
            self._shown_at = time.monotonic()
            self._console.print(escape(shown(line)))

    def _stop(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None


def _amount(record: logging.LogRecord) -> str:
    done, total = getattr(record, "done", None), getattr(record, "total", None)
    if done is None:
        return ""
    if total is None:
        return f"{done} "
    filled = round(20 * done / total)
    return f"{'━' * filled}{'╌' * (20 - filled)} {done}/{total} "


def _figure(found: float | None) -> str:
    return "not measured" if found is None else f"{found:.4f}"


def _recalls(by_class: dict[str, float | None]) -> str:
    """Names the recall of every class; of many classes, the lowest ones."""
    lowest = sorted(by_class, key=lambda name: (by_class[name] is None, by_class[name]))
    names = by_class if len(by_class) <= MOST_LINES else lowest[:MOST_LINES]
    told = ", ".join(f"{shown(name)} {_figure(by_class[name])}" for name in names)
    more = len(by_class) - len(names)
    return f"{told} (the lowest; {more} more classes)" if more > 0 else told


def _told(gate: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of many thresholds, those of the whole and the first of those that were missed by class."""
    if len(gate) <= MOST_LINES:
        return gate
    whole = [row for row in gate if row["slice"] == "overall"]
    missed = [row for row in gate if row["slice"] != "overall" and not row["passed"]]
    return [*whole, *missed[:MOST_LINES]]


def show_summary(
    console: Console, result: dict[str, Any], picture: str, where: Sequence[str]
) -> None:
    """Shows how a run ended: metrics, the gate's reasons, and the next commands.

    Args:
      console: is printed on.
      result: what `run --json` prints.
      picture: a file to ask the model about.
      where: the options by which other commands find the run.
    """
    metrics = result["metrics"]
    console.print()
    if metrics:
        console.print(f"Test accuracy   {metrics['accuracy']:.4f}")
        console.print(escape(f"Recall          {_recalls(metrics['class_recall'])}"))
    told = _told(result["gate"])
    for row in told:
        mark = "[green]pass[/]" if row["passed"] else "[red]FAIL[/]"
        text = f"{row['metric']} ({row['slice']}) {_figure(row['found'])}, needed {row['needed']}"
        console.print(f"Gate            {mark} {escape(shown(text))}")
    rest = [row["passed"] for row in result["gate"] if row not in told]
    for mark, more in (("[red]FAIL[/]", rest.count(False)), ("[green]pass[/]", rest.count(True))):
        if more:
            console.print(f"Gate            {mark} {more} more, by class; the report has all")
    if result["report"]:
        console.print(escape(f"Report          {result['report']}"))
    console.print(escape(f"Log             {result['log']}"))
    if result["verdict"] in ("pushed", "unchanged"):
        directory = result["model_dir"]
        console.print(escape(f"Model           {directory}"))
        serve = shlex.join(["transfer-pipeline", "serve", "--model-dir", directory])
        console.print(escape(f"Serve it        {serve}"))
        classify = shown(shlex.join(["transfer-pipeline", "classify", picture]))
        console.print(escape(f"Ask it          {classify}"))
    if result["verdict"] == "refused":
        words = ["transfer-pipeline", "report", *where, "--mistakes", "mistakes"]
        console.print(escape(f"Mistakes        {shown(shlex.join(words))}"))
        console.print("Overrule it     the same command with --bless REASON")
    console.print(f"\n{_headline(result)}")


def _headline(result: dict[str, Any]) -> str:
    verdict = result["verdict"]
    if verdict == "pushed":
        return f"[bold green]pushed[/] as version {result['pushed_version']}"
    if verdict == "unchanged":
        return "[bold cyan]unchanged[/]: the candidate is the model served already"
    if verdict == "refused":
        failed = [
            shown(f"{row['metric']} ({row['slice']})")
            for row in result["gate"]
            if not row["passed"]
        ]
        missed = escape(some(failed, MOST_LINES))
        return f"[bold red]refused[/] by the gate: {missed}; nothing was pushed"
    if verdict == "failed":
        return f"[bold red]failed[/]: {escape(shown_lines(result['error']))}"
    return "[bold]done[/] up to the node asked for; nothing was judged"
