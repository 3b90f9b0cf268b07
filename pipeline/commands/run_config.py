"""One run of a configuration: what the command `run` and `pipeline.run` have in common."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from components.errors import MOST_LINES, UserError
from components.files import space
from components.files.object_stores import reaches
from components.image_example_gen import listing_handover, sources
from components.settings import metadata
from pipeline.commands import (
    free_space,
    notify,
    partial_run,
    preflight,
    preflight_network,
    preflight_pictures,
)
from pipeline.commands.console import RunView, quiet, show_summary
from pipeline.config import Config
from pipeline.launch import environment, scratch
from pipeline.store import metadata_store, outputs, root
from serving import names


def run_config(
    config: Config,
    *,
    from_node: str | None = None,
    to_node: str | None = None,
    may_substitute: bool = False,
    to_stderr: bool = True,
    at_full_disk: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Runs the pipeline, shows progress, tells `runtime.notify`, and returns the result.

    Args:
      config: the whole configuration.
      from_node: starts here, with the latest run's results of the nodes before it.
      to_node: ends here.
      may_substitute: where ImageNet's weights can't be had and the configuration names none,
        others may take their place.
      to_stderr: shows people on standard error, and leaves standard output to programs.
      at_full_disk: is called where a disk ran full.

    Returns:
      What `run --json` prints.

    Raises:
      UserError: it can't start; a node's failure is in the result instead.
    """
    try:
        result = _run_config(
            config,
            from_node,
            to_node,
            may_substitute,
            to_stderr=to_stderr,
            at_full_disk=at_full_disk,
        )
    except Exception as error:
        _tell(config, read_by_programs(error=_in_a_sentence(error), config=config))
        raise
    return _tell(config, result)


def _tell(config: Config, result: dict[str, Any]) -> dict[str, Any]:
    """Tells `runtime.notify`; returns the result, with a note where that failed."""
    note = notify.notify(config.runtime.notify, result)
    if note is None:
        return result
    print(f"Note: {names.shown(note)}", file=sys.stderr, flush=True)
    return result | {"notes": [note]}


def _run_config(
    config: Config,
    from_node: str | None,
    to_node: str | None,
    may_substitute: bool,
    *,
    to_stderr: bool,
    at_full_disk: Callable[[], None],
) -> dict[str, Any]:
    metadata_store.check_whole(config.metadata)
    partial_run.check_nodes(config, from_node, to_node)
    preflight_network.check_settings(config)
    listing = preflight.check_folders(config)
    preflight_pictures.check_listing(config, listing)
    needs = free_space.needs(config, listing)
    space.check(needs)
    with _full_disks(needs, at_full_disk), _alone(config), scratch.folder():
        run_id = root.new_run_id()
        log = root.log_path(config.root, run_id)
        with quiet(log, to_stderr=to_stderr) as shown, RunView(shown) as view:
            view.say(f"{len(listing.files)} pictures of {len(listing.classes)} classes")
            said = [*listing.notes, *sources.unread_pictures(listing)]
            if listing.is_kept and config.data.changes == "folders":
                said.append("The source's folders are as they were when they were listed last.")
            for note in said:
                view.say(note)
            if reaches(config.pipeline_root):  # else the driver lists on its own
                node = listing_handover.node_in(config.pipeline_root)
                listing_handover.keep(listing, node, run_id)
            result = _run(
                config,
                run_id,
                view,
                from_node=from_node,
                to_node=to_node,
                may_substitute=may_substitute,
                said=said,
                needs=needs,
                at_full_disk=at_full_disk,
            )
            where = root.options_of(config.root, config.metadata)
            show_summary(shown, result, picture=_plain(listing), where=where)
    return result


@contextlib.contextmanager
def _full_disks(needs: Sequence[space.Need], noticed: Callable[[], None]) -> Iterator[None]:
    """Raises in place of an error that a full disk is behind one that says so."""
    try:
        yield
    except Exception as error:
        if (full := space.full_disk(error, needs)) is None:
            raise
        noticed()
        raise full from error


def _plain(listing: sources.Listing) -> str:
    """Returns a picture to ask for, one whose name a shell takes as it is shown if there is one."""
    paths = (file.path for file in listing.files)
    return next((path for path in paths if names.shown(path) == path), listing.files[0].path)


def _alone(config: Config) -> contextlib.AbstractContextManager[None]:
    """Locks the root where a SQLite file holds the metadata: a second run is refused."""
    if metadata.is_url(config.metadata):
        return contextlib.nullcontext()
    return root.locked(config.root)


def _is_held(config: Config) -> bool:
    """Checks whether the root's lock keeps other runs from the metadata, which lies in the root."""
    file = Path(config.metadata)
    return not metadata.is_url(config.metadata) and file.is_relative_to(config.root)


def _run(
    config: Config,
    run_id: str,
    view: RunView,
    *,
    from_node: str | None,
    to_node: str | None,
    may_substitute: bool,
    said: list[str],
    needs: Sequence[space.Need],
    at_full_disk: Callable[[], None],
) -> dict[str, Any]:
    log = root.log_path(config.root, run_id)
    done, error, failed_page = None, None, None
    view.say("Loading TensorFlow and TFX ...")
    with environment.heavy_imports():
        from pipeline import local_runner
        from pipeline.commands.failed_report import write_failed
        from pipeline.store import changed_outputs, killed_runs

    if _is_held(config):
        store = metadata.connection_config(config.metadata)
        killed_runs.cancel(store, config.pipeline_name)
        if not from_node:  # else the steps before it can't make theirs anew: it is refused there
            for changed in changed_outputs.find(store, config.pipeline_name, config.pipeline_root):
                view.say(f"Note: {changed_outputs.put_aside(changed)}")
    try:
        if may_substitute:
            config = preflight_network.with_weights_at_hand(config, view.say)
        preflight_network.check_network(config)
        if note := preflight_network.unknown_splits(config):
            view.say(f"Note: {note}")
        done = local_runner.run(config, view, run_id, from_node, to_node)
    except local_runner.RunFailed as failure:
        done = failure.run
        full = space.full_disk(failure.__cause__, needs)
        error = f"{failure.node_id}: {full or _in_a_sentence(failure.__cause__)}"
        if full:
            at_full_disk()
        failed_page = write_failed(config, done, error)
        if failed_page is None:
            view.say("No page could be made of the failed run; the log says why.")
    except KeyboardInterrupt:
        view.say("Interrupted; the same command goes on from the last finished step.")
        raise
    for note in _short(_notes(done, said)):
        view.say(f"Note: {note}")
    result = read_by_programs(done, error, log, config)
    return result | {"report": str(failed_page)} if failed_page else result


def _notes(run: Any, said: list[str]) -> list[str]:
    """Returns what is to be known of the data, the gate's notes, and a line per file for devices.

    What has been said of the source is not said again.
    """
    ingest = run.document(outputs.INGEST_REPORT, "report.json") or {"notes": []}
    acceptance = run.document(outputs.ACCEPTANCE, "acceptance.json") or {"findings": []}
    verdict = run.document(outputs.VERDICT, "verdict.json") or {"notes": []}
    lite = run.document(outputs.LITE_MODEL, "lite.json") or {"files": []}
    return [
        *(note for note in ingest["notes"] if note not in said),
        *(finding["text"] for finding in acceptance["findings"]),
        *_of_the_gate(run, verdict),
        *(_lite_note(run.outputs[outputs.LITE_MODEL].uri, row) for row in lite["files"]),
    ]


def _of_the_gate(run: Any, verdict: dict[str, Any]) -> list[str]:
    """Returns the gate's notes; those of the time before its push say nothing of a model now."""
    if run.verdict != "unchanged" or verdict["verdict"] == "unchanged":
        notes: list[str] = verdict["notes"]
        return notes
    return [
        "The candidate is the model served already: gate and report are those of the run that "
        "pushed it."
    ]


def _short(notes: list[str]) -> list[str]:
    more = len(notes) - MOST_LINES
    last = [f"{more} more; the report has all."] if more > 0 else []
    return [*notes[:MOST_LINES], *last]


def _lite_note(folder: str, row: dict[str, Any]) -> str:
    if row["refused"]:
        return f"{row['file']} was not kept: {row['refused']}."
    return f"For devices: {os.path.join(folder, row['file'])} ({row['bytes'] / 1e6:.1f} MB)."


def _in_a_sentence(error: BaseException | None) -> str:
    if isinstance(error, UserError):
        return str(error)
    text = str(error).strip()
    if type(error).__module__.startswith("ml_metadata"):
        text = metadata_store.without_sql(text)
    lines = text.splitlines() or [""]
    if lines[0].startswith("Traceback"):  # of a worker of Beam's: its own error comes last
        return lines[-1][:500]
    return f"{type(error).__name__}: {lines[0][:500]}"


def read_by_programs(
    run: Any = None, error: str | None = None, log: Path | None = None, config: Config | None = None
) -> dict[str, Any]:
    """Returns what `run --json` prints; the keys are a contract."""
    gate = (run.document(outputs.VERDICT, "verdict.json") if run else None) or {}
    report = run.outputs.get(outputs.REPORT) if run else None
    return {
        "verdict": "failed" if error else run.verdict,
        "run_id": run.run_id if run else None,
        "metrics": gate.get("metrics", {}).get("candidate", {}),
        "gate": run.gate if run else [],
        "pushed_version": run.pushed_version if run else None,
        "model_dir": str(config.push_directory) if config else None,
        "report": os.path.join(report.uri, "report.html") if report else None,
        "log": str(log) if log else None,
        "components": {
            name: {"state": node.state, "seconds": round(node.seconds, 2)}
            for name, node in (run.nodes.items() if run else ())
        },
        "error": error,
    }
