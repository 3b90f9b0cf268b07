"""The functions that the steps of the Kubeflow pipeline run.

Kubeflow ships each function's source alone, so each imports what it needs. `python3` in the image
is the one with kfp; the project lives behind the command `transfer-pipeline`. A command that fails
has said why, so the step ends with its exit code and no stack trace.
"""

# No `from __future__ import annotations`: kfp reads the annotations as types, not as text.
from kfp import dsl


def compile_run(
    configuration: str,
    before: str,
    data: str,
    span: str,
    overrides: list,
    compiled: dsl.Output[dsl.Artifact],
) -> None:
    """Compiles the TFX pipeline of this run from its parameters.

    Args:
      configuration: the whole configuration, JSON.
      before: for each node of this Kubeflow pipeline all nodes that end before it begins, JSON.
      data: `data.source`; several as a JSON list; "" for the configuration's.
      span: `data.span`; a date may have dashes; "" for the configuration's.
      overrides: `KEY=VALUE` as for `--set`.
      compiled: the compiled pipeline, for the other steps.
    """
    import json
    import subprocess
    import sys
    import tempfile

    sets = [*overrides]
    if span:
        sets.insert(0, "data.span=" + span.replace("-", ""))
    if data:
        sets.insert(0, "data.source=" + (data if data.startswith("[") else json.dumps(data)))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(configuration)  # JSON is YAML
        file.flush()
        command = ["transfer-pipeline", "compile", "--config", file.name, "--target", "tfx"]
        command += ["--output", compiled.path]
        command += [argument for assignment in sets for argument in ("--set", assignment)]
        code = subprocess.run(command).returncode
    if code:
        sys.exit(code)
    steps = json.loads(before)
    with open(compiled.path, encoding="utf-8") as written:
        nodes = [node["pipelineNode"] for node in json.load(written)["nodes"]]
    for node in nodes:
        name = node["nodeInfo"]["id"]
        missing = set(node.get("upstreamNodes", [])) - set(steps.get(name, []))
        if name not in steps or missing:
            told = f"has {name} wait for {', '.join(sorted(missing))}" if missing else f"has {name}"
            print("error: with these parameters the pipeline", told, "and this one does not:")
            print("compile another one for Kubeflow, with them in the configuration.")
            sys.exit(2)


def run_node(compiled: dsl.Input[dsl.Artifact], node: str, run_id: str) -> None:
    """Runs one node, or nothing where the run's parameters have left it out.

    Args:
      compiled: the compiled pipeline.
      node: the node's id.
      run_id: the run's id, the same in all its steps and in their retries.
    """
    import json
    import subprocess
    import sys

    with open(compiled.path, encoding="utf-8") as file:
        nodes = [entry["pipelineNode"]["nodeInfo"]["id"] for entry in json.load(file)["nodes"]]
    if node not in nodes:
        print("This run's parameters leave", node, "out.")
        return
    command = ["transfer-pipeline", "run-node", "--pipeline", compiled.path, "--node", node]
    sys.stdout.flush()
    if code := subprocess.run([*command, "--run-id", run_id]).returncode:
        sys.exit(code)


def run_report(
    compiled: dsl.Input[dsl.Artifact],
    node: str,
    run_id: str,
    page: dsl.Output[dsl.HTML],
    figures: dsl.Output[dsl.Metrics],
) -> None:
    """Runs the node Report and shows its page and metrics where Kubeflow shows a run.

    Args:
      compiled: the compiled pipeline.
      node: the node's id.
      run_id: the run's id.
      page: the report.
      figures: the candidate's metrics; `gate_passed` and `pushed_version` with them.
    """
    import json
    import os
    import shutil
    import subprocess
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run = ["run-node", "--pipeline", compiled.path, "--node", node, "--run-id", run_id]
        copy = ["report", run_id, "--pipeline", compiled.path, "--copy-to", folder]
        for arguments in (run, copy):
            if code := subprocess.run(["transfer-pipeline", *arguments]).returncode:
                sys.exit(code)
        shutil.copyfile(os.path.join(folder, "report.html"), page.path)
        with open(os.path.join(folder, "metrics.json"), encoding="utf-8") as file:
            candidate = json.load(file)["candidate"]
        with open(os.path.join(folder, "verdict.json"), encoding="utf-8") as file:
            verdict = json.load(file)
    for name, value in candidate.items():
        if isinstance(value, int | float):
            figures.log_metric(name, value)
    for label, recall in candidate["class_recall"].items():
        figures.log_metric("recall of " + label, recall)
    figures.log_metric("gate_passed", int(all(row["passed"] for row in verdict["gate"])))
    figures.log_metric("pushed_version", verdict["pushed_version"] or 0)
    page.metadata["verdict"] = verdict["verdict"]
