"""The command `run`: from the command's words to one pipeline run and its result."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from components.files.paths import is_remote
from components.image_example_gen import listing_handover
from components.settings import metadata
from components.step.errors import ConfigError, UserError
from pipeline import config as configuration
from pipeline.commands import preflight
from pipeline.commands.console import RunView, quiet, show_summary
from pipeline.config import Config
from pipeline.launch import environment
from pipeline.store import outputs, root

EXIT_DONE, EXIT_FAILED = 0, 1


@dataclasses.dataclass(frozen=True)
class Request:
    """The words of `run`."""

    config_file: Path | None = None
    preset: str | None = None
    data: str | list[str] | None = None
    root: str | None = None
    assignments: list[str] = dataclasses.field(default_factory=list)
    from_node: str | None = None
    to_node: str | None = None
    as_json: bool = False
    bless: str | None = None


def run(request: Request) -> int:
    """Runs the pipeline, tells people and programs what became of it, and gives the exit code."""
    try:
        result = execute(request)
    except UserError as error:
        if request.as_json:
            print(json.dumps(_result(error=str(error))), flush=True)
        raise
    if request.as_json:
        print(json.dumps(result), flush=True)
    return EXIT_DONE if result["verdict"] in ("pushed", "unchanged", None) else EXIT_FAILED


def execute(request: Request) -> dict[str, Any]:
    """Runs the pipeline, shows people how it goes, and gives what programs read.

    Raises:
      UserError: it can't start; a node's failure is in the result instead.
    """
    config = build_config(request)
    listing = preflight.check_folders(config)
    preflight.check_gate(config.gate, listing.classes)
    preflight.check_batch(config, listing)
    with _alone(config):
        run_id = root.new_run_id()
        log = root.log_path(config.root, run_id)
        with quiet(log, to_stderr=request.as_json) as shown, RunView(shown) as view:
            view.say(f"{len(listing.files)} pictures of {len(listing.classes)} classes")
            for note in listing.notes:
                view.say(note)
            if not is_remote(config.pipeline_root):  # there the driver lists on its own
                node = f"{config.pipeline_root}/{listing_handover.NODE}"
                listing_handover.keep(listing, node, run_id)
            result = _run(request, config, run_id, view)
            show_summary(shown, result, picture=listing.files[0].path)
    return result


def _alone(config: Config) -> contextlib.AbstractContextManager[None]:
    """A database server keeps several runs apart; with a SQLite file, the second one is told."""
    if metadata.is_url(config.metadata):
        return contextlib.nullcontext()
    return root.locked(config.root)


def build_config(request: Request) -> Config:
    """Gives the configuration that the words ask for.

    Raises:
      ConfigError: a word is wrong.
    """
    if request.config_file and request.preset:
        raise ConfigError("--config and --preset exclude each other: name one of them.")
    tree: dict[str, Any] = {}
    if request.config_file:
        tree = configuration.read_file(request.config_file)
    elif request.preset:
        tree = configuration.read_preset(request.preset)
    elif not request.data:
        raise ConfigError("Nothing to run: name --config FILE, --preset NAME or --data DIR.")
    if request.data:
        configuration.set_key(tree, "data.source", request.data)
    if request.root:
        configuration.set_key(tree, "runtime.root", request.root)
    for assignment in request.assignments:
        configuration.override(tree, assignment)
    if request.bless is not None:
        configuration.set_key(tree, "gate.bless", request.bless)
    if not request.config_file:
        _default_push_directory(tree)
    return configuration.build(tree)


def _default_push_directory(tree: dict[str, Any]) -> None:
    """Who has no file gets a push directory in the root, if that is a folder."""
    tree.setdefault("push", {})
    if isinstance(tree["push"], dict) and "directory" not in tree["push"]:
        runtime = tree.get("runtime")
        folder = runtime.get("root") if isinstance(runtime, dict) else None
        name = tree.get("pipeline_name", Config.model_fields["pipeline_name"].default)
        folder = str(folder or configuration.Runtime().root)
        if not is_remote(folder):
            tree["push"]["directory"] = str(Path(folder, "served", str(name)))


def _run(request: Request, config: Config, run_id: str, view: RunView) -> dict[str, Any]:
    log = root.log_path(config.root, run_id)
    done, error, failed_page = None, None, None
    view.say("Loading TensorFlow and TFX ...")
    with environment.heavy_imports():
        from pipeline import local_runner
        from pipeline.commands.failed_report import write_failed

    try:
        if not request.config_file:
            config = preflight.with_weights_at_hand(config, view.say)
        preflight.check_network(config)
        done = local_runner.run(config, view, run_id, request.from_node, request.to_node)
    except local_runner.RunFailed as failure:
        done = failure.run
        error = f"{failure.node_id}: {_in_a_sentence(failure.__cause__)}"
        failed_page = write_failed(config, done, error)
    except KeyboardInterrupt:
        view.say("Interrupted; the same command goes on from the last finished step.")
        raise
    for note in _notes(done):
        view.say(f"Note: {note}")
    result = _result(done, error, log, config)
    return result | {"report": str(failed_page)} if failed_page else result


def _notes(run: Any) -> list[str]:
    """What was found and let pass, what the gate says beside its rows, and files for devices."""
    acceptance = run.document(outputs.ACCEPTANCE, "acceptance.json") or {"findings": []}
    verdict = run.document(outputs.VERDICT, "verdict.json") or {"notes": []}
    lite = run.document(outputs.LITE_MODEL, "lite.json") or {"files": []}
    return [
        *(finding["text"] for finding in acceptance["findings"]),
        *verdict["notes"],
        *(_lite_note(run.outputs[outputs.LITE_MODEL].uri, row) for row in lite["files"]),
    ]


def _lite_note(folder: str, row: dict[str, Any]) -> str:
    if row["refused"]:
        return f"{row['file']} was not kept: {row['refused']}."
    return f"For devices: {os.path.join(folder, row['file'])} ({row['bytes'] / 1e6:.1f} MB)."


def _in_a_sentence(error: BaseException | None) -> str:
    if isinstance(error, UserError):
        return str(error)
    lines = str(error).strip().splitlines() or [""]
    if lines[0].startswith("Traceback"):  # of a worker of Beam's: its own error comes last
        return lines[-1][:500]
    return f"{type(error).__name__}: {lines[0][:500]}"


def _result(
    run: Any = None, error: str | None = None, log: Path | None = None, config: Config | None = None
) -> dict[str, Any]:
    """Gives what programs read; the keys are a contract."""
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
