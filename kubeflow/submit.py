"""Starts a compiled Kubeflow pipeline on a Kubeflow Pipelines host, now or by a schedule:

    PYTHON kubeflow/submit.py --pipeline PETS.yaml --host URL --experiment pets
        [--set training.seed=1] [--cron "0 3 * * 1"]

PYTHON is `.venv/bin/python`, or with TFX 1.16 `.venv-kubeflow/bin/python`.

A schedule takes the place of the one with the same name in the experiment.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import kfp
import kfp_server_api
import urllib3
import yaml

_PAGE = 100  # recurring runs asked for at a time
_ONE_AT_A_TIME = 1  # a run waits for the one before: both would push


class SubmitError(Exception):
    """The host or the request is wrong."""


def read_cron(text: str) -> str:
    """Returns the six fields that Kubeflow reads, seconds first; five are as cron's own.

    Raises:
      SubmitError: there are more or fewer.
    """
    fields = text.split()
    if len(fields) not in (5, 6):
        raise SubmitError(
            f"--cron: found {len(fields)} fields in {text!r}; five are needed, as in '0 3 * * 1' "
            "(Mondays at 3:00 UTC), or six with the seconds first."
        )
    return " ".join(["0", *fields] if len(fields) == 5 else fields)


def read_parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns the pipeline's parameters that are named; the others keep their defaults."""
    named = {"data": arguments.data, "span": arguments.span, "overrides": arguments.overrides}
    return {name: value for name, value in named.items() if value}


def submit(client: kfp.Client, arguments: argparse.Namespace) -> str:
    """Starts a run or makes a schedule, in an experiment that is made where missing.

    Returns:
      A sentence that names what was made.
    """
    name = arguments.name or pipeline_name(arguments.pipeline)
    made = client.create_experiment(arguments.experiment, namespace=arguments.namespace)
    request = {
        "experiment_id": made.experiment_id,
        "job_name": name,
        "pipeline_package_path": str(arguments.pipeline),
        "params": read_parameters(arguments),
        "service_account": arguments.service_account,
    }
    if not arguments.cron:
        return f"run {client.run_pipeline(**request).run_id}"
    schedule = client.create_recurring_run(
        **request,
        cron_expression=read_cron(arguments.cron),
        max_concurrency=_ONE_AT_A_TIME,
        no_catchup=not arguments.catch_up,
    )
    replaced = _delete_others(client, made.experiment_id, name, schedule.recurring_run_id)
    instead = f" in place of {', '.join(replaced)}" if replaced else ""
    return f"recurring run {schedule.recurring_run_id}{instead}"


def _delete_others(client: kfp.Client, experiment: str, name: str, kept: str) -> list[str]:
    """Two schedules of one name would start every run twice."""
    others: list[str] = []
    token = ""
    while True:
        page = client.list_recurring_runs(token, _PAGE, experiment_id=experiment)
        for found in page.recurring_runs or []:
            if found.display_name == name and found.recurring_run_id != kept:
                others.append(found.recurring_run_id)
        token = page.next_page_token
        if not token:
            break
    for recurring_run_id in others:
        client.delete_recurring_run(recurring_run_id)
    return others


def pipeline_name(package: Path) -> str:
    """Returns the name that stands in a compiled Kubeflow pipeline.

    Raises:
      SubmitError: the file is none.
    """
    try:
        spec = next(iter(yaml.safe_load_all(package.read_text("utf-8"))))
        return str(spec["pipelineInfo"]["name"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, StopIteration, LookupError) as error:
        raise SubmitError(f"--pipeline: {package} is no compiled pipeline: {error}") from error
    except TypeError as error:
        raise SubmitError(f"--pipeline: {package} is no compiled pipeline") from error


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add(
        "--pipeline", type=Path, required=True, help="the file that compile --target kubeflow wrote"
    )
    add("--host", required=True, help="URL of Kubeflow Pipelines, as http://localhost:8888")
    add("--experiment", required=True, help="the experiment's name; it is made where missing")
    add("--name", help="name of the run or the schedule; default: the pipeline's")
    add("--data", help="data.source of this run")
    add("--span", help="data.span; a schedule: [[ScheduledTime.20060102]]")
    add("--set", dest="overrides", action="append", metavar="KEY=VALUE", default=[])
    add("--cron", help="makes a schedule, in UTC: '0 3 * * 1' is Mondays at 3:00")
    add("--catch-up", action="store_true", help="also runs what the schedule missed")
    add("--namespace", help="the user's namespace, where Kubeflow has several users")
    add("--service-account", help="the account that the steps run as")
    add("--token-file", type=Path, help="file with a bearer token")
    add("--ca", help="PEM file of the authority that signed the host's certificate")
    return parser.parse_args()


def main() -> int:
    """Submits; returns 0 when done, 1 when the host refused or is away, 2 for a wrong argument."""
    arguments = _read_arguments()
    try:
        if arguments.cron:
            read_cron(arguments.cron)
        pipeline_name(arguments.pipeline)
        token = arguments.token_file.read_text().strip() if arguments.token_file else None
    except (SubmitError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # kfp warns of versions long gone, and logs each attempt with a stack trace.
    warnings.simplefilter("ignore", FutureWarning)
    logging.disable()
    try:
        client = kfp.Client(arguments.host, existing_token=token, ssl_ca_cert=arguments.ca)
        print(submit(client, arguments))
    except kfp_server_api.ApiException as error:
        said = str(error.body or error.reason)[:500]
        print(f"error: {arguments.host} refused ({error.status}): {said}", file=sys.stderr)
        return 1
    except (urllib3.exceptions.HTTPError, RuntimeError, OSError) as error:
        print(f"error: no answer from {arguments.host}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
