"""The subcommands that choose the served version; `pipeline.cli` puts them into the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from components.errors import UserError
from pipeline.commands.options import (
    Authority,
    Certificate,
    CertificateKey,
    Json,
    ModelDir,
    NameInFile,
    Servers,
    TokenFile,
    access_to,
)
from serving.labels import MODELS_CONFIG, Labels
from serving.names import shown
from serving.session_trial import NotTried, fault_of
from serving.version_files import missing
from serving.version_names import strangers
from serving.versions import check_is_push_directory, published, served


def versions(
    model_dir: ModelDir,
    check: Annotated[
        bool,
        typer.Option("--check", help="Loads each version as TensorFlow Serving does."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Lists the versions in a push directory, and with --check whether each can be served.

    One that lacks a file, or that --check finds can't be served, is `broken`.
    Example: transfer-pipeline versions --model-dir runs/served/pets
    """
    check_is_push_directory(model_dir)
    found = published(model_dir)
    for sentence in strangers(model_dir):
        print(f"warning: {shown(sentence)}", file=sys.stderr)
    try:
        faults = {version.number: fault_of(version.path) for version in found} if check else {}
    except NotTried as error:
        raise UserError(str(error)) from error
    lacks = {version.number: missing(version.path) for version in found}
    states = {
        v.number: "broken" if faults.get(v.number) or lacks[v.number] else v.state for v in found
    }
    if as_json:
        rows: list[dict[str, Any]] = [
            {"version": v.number, "state": states[v.number], "published": v.published.isoformat()}
            for v in found
        ]
        for row in rows if check else ():
            row["fault"] = faults[row["version"]]
        print(json.dumps(rows))
    else:
        for version in found:
            state, lack = states[version.number], lacks[version.number]
            line = f"{version.number}  {version.published:%Y-%m-%d %H:%M:%S} UTC  {state}"
            if check:
                fault = faults[version.number]
                line += f"  can't be served: {fault}" if fault else "  can be served"
            elif lack:
                line += f"  can't be served: {lack}"
            print(shown(line))
    if any(faults.values()):
        raise typer.Exit(1)


def rollback(
    model_dir: ModelDir,
    to: Annotated[int, typer.Option(help="The number of the version to serve.")],
    server: Servers = None,
    name: NameInFile = None,
    ca: Authority = None,
    cert: Certificate = None,
    key: CertificateKey = None,
    token_file: TokenFile = None,
) -> None:
    """Makes another version the served one; the same command with the old number undoes it.

    Where `canary` was used, it moves the labels: without --server that takes two calls, since
    servers refuse a label for a version that they have not loaded.
    Example: transfer-pipeline rollback --model-dir runs/served/pets --to 3
    """
    from serving.canary import rollback as roll_back

    before = served(model_dir)
    labels = roll_back(
        model_dir, to, server or (), name, access_to(server, ca, cert, key, token_file)
    )
    if labels is not None:
        print(_labels(labels, model_dir))
    if labels is not None and labels.stable != to:
        print(_ROLLBACK_STEP.format(version=to, served=labels.stable))
    else:
        print(f"{shown(model_dir)} serves version {to}", flush=True)
        if labels is not None and not server:
            print(_FOLDERS_STEP.format(version=to))
    path = next(version.path for version in published(model_dir) if version.number == to)
    try:
        fault = fault_of(path)
    except NotTried:
        return
    if fault:
        command = f"--model-dir {model_dir}"
        back = f" `rollback {command} --to {before.name}` goes back." if before else ""
        print(
            f"warning: version {to} can't be served ({fault}): servers keep what they have"
            f" loaded.{back} `versions {command} --check` tells which can be served.",
            file=sys.stderr,
        )


def canary(
    model_dir: ModelDir,
    name: NameInFile = None,
    base_path: Annotated[
        str | None, typer.Option(help="The push directory's path on the server, where it differs.")
    ] = None,
    server: Servers = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Makes the version on trial the stable one.")
    ] = False,
    withdraw: Annotated[
        bool,
        typer.Option("--withdraw", help="Withdraws the version on trial; the stable one stays."),
    ] = False,
    ca: Authority = None,
    cert: Certificate = None,
    key: CertificateKey = None,
    token_file: TokenFile = None,
) -> None:
    """Puts the newest version on trial under the label `canary`, or ends the trial.

    Without --server, beginning a trial and withdrawing it take two calls each: servers refuse a
    label for a version that they have not loaded. models.config is sent as a whole: a server that
    has other models, too, must have them in that file, or it unloads them.
    Example: transfer-pipeline canary --model-dir runs/served/pets
    """
    from serving import canary as trial
    from serving.labels import read

    if promote and withdraw:
        raise typer.BadParameter("--promote and --withdraw exclude each other")
    access = access_to(server, ca, cert, key, token_file)
    before = read(model_dir, name) if model_dir.is_dir() else None
    if promote or withdraw:
        end = trial.promote if promote else trial.withdraw
        labels = end(model_dir, server or (), name, access)
    else:
        labels = trial.advance(model_dir, name, base_path, server or (), access)
    print(_labels(labels, model_dir))
    if before == labels and not promote and not withdraw:
        on_trial = f"{labels.canary} is on trial, and " if labels.canary != labels.stable else ""
        print(
            f"Nothing was changed: {on_trial}no version in {model_dir} is newer than"
            f" {labels.canary}. Push one, or `transfer-pipeline rollback --model-dir {model_dir}"
            " --to N` makes another one stable.",
            file=sys.stderr,
        )
    elif labels.beside is not None:
        print(_NEXT_STEP[withdraw].format(version=labels.beside, model_dir=model_dir))


def _labels(labels: Labels, model_dir: Path) -> str:
    return f"stable {labels.stable}, canary {labels.canary}: {shown(model_dir / MODELS_CONFIG)}"


_NEXT_STEP = {
    False: (
        "Version {version} is loaded beside them by servers that read this file. Once each of them"
        " has it AVAILABLE (GET /v1/models/NAME), the same command moves the label `canary` to it;"
        " earlier, a server may refuse the file for good."
    ),
    True: (
        "Version {version} stays loaded until the servers have read this file"
        " (--model_config_file_poll_wait_seconds); then the same command withdraws it."
    ),
}
"""The user's next step after the first of two, by whether the command withdraws a trial."""

_ROLLBACK_STEP = (
    "Version {version} is loaded beside {served} by servers that read this file; clients still get"
    " {served}. Once each server has {version} AVAILABLE (GET /v1/models/NAME), the same command"
    " moves `stable` and `canary` to it; earlier, a server may refuse the file for good."
)
_FOLDERS_STEP = (
    "Versions greater than {version} count as withdrawn. Their folders keep their names until the"
    " servers have read this file: the next `rollback`, `canary` or push renames them."
)

COMMANDS = (versions, rollback, canary)
"""In the order in which help shows them."""
