from __future__ import annotations

import json
import re
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.errors import ConfigError
from pipeline import config, config_faults, config_words
from tests.explains import refused

# The contract's figures. `from_layer` and `size` are the backbone's own.
DEFAULTS = """
data:      {splits: {train: 8, eval: 1, test: 1}, group_by: null, max_rejected_fraction: 0.01}
image:     {fit: stretch}
model:     {backbone: inception_v3, weights: imagenet}
training:  {batch_size: 32, seed: 0,
            frozen:   {epochs: 10, learning_rate: 0.005, optimizer: adam, features: cached},
            unfrozen: {epochs: 10, learning_rate: 0.0001, optimizer: sgd, momentum: 0.9}}
gate:      {min_accuracy: 0.8, min_class_recall: 0.5, max_regression: 0.0,
            beats_majority_class: true}
push:      {keep_versions: 5}
"""


def build(*assignments: str) -> config.Config:
    """The smallest configuration with these `KEY=VALUE`s."""
    tree: dict[str, Any] = {"data": {"source": "pictures"}, "push": {"directory": "models"}}
    for assignment in assignments:
        config.override(tree, assignment)
    return config.build(tree)


def refusal(*assignments: str, found: str, allowed: str, next: str = "correct these keys") -> str:
    """Returns the refusal of these `KEY=VALUE`s, which holds all three, taken literally."""
    found, allowed, next = map(re.escape, (found, allowed, next))
    with refused(ConfigError, found=found, allowed=allowed, next=next) as told:
        build(*assignments)
    assert "51lence" not in "".join(traceback.format_exception(told.value))
    return str(told.value)


def _contains(whole: dict[str, Any], part: dict[str, Any]) -> bool:
    return all(
        _contains(whole[key], value) if isinstance(value, dict) else whole[key] == value
        for key, value in part.items()
    )


def test_the_defaults_are_those_of_the_contract() -> None:
    found = build().model_dump()
    assert _contains(found, yaml.safe_load(DEFAULTS))
    assert build().image_size == [299, 299]


def test_nothing_but_source_and_push_directory_is_required() -> None:
    with refused(
        ConfigError, found="is missing", allowed="is needed; for example", next="Add it"
    ) as told:
        config.build({})
    assert str(told.value).splitlines()[1:] == [
        "  data: is missing; a section is needed; for example {source: pictures/}. Add it.",
        "  push: is missing; a section is needed; for example {directory: served/}. Add it.",
    ]
    value = "a value is needed; for example "
    refusal("data={}", found="data.source: is missing", allowed=f"{value}pictures/", next="Add it")
    refusal("push={}", found="push.directory: is missing", allowed=f"{value}served/", next="Add it")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("modle={}", ["modle: unknown key", "did you mean model?"]),
        ("gate.min_acuracy=1", ["gate.min_acuracy: unknown key", "did you mean min_accuracy?"]),
        ("training.frozen.lr=1", ["training.frozen.lr: unknown key", "learning_rate, optimizer"]),
        ("model.head.dense=[{unitz: 3}]", ["model.head.dense.0.unitz", "did you mean units?"]),
        ("runtime.kubeflow.imgae=x", ["runtime.kubeflow.imgae", "did you mean image?"]),
        ("training.frozen.lr=1", ["did you mean learning_rate?"]),
        ("training.unfrozen.patience=1", ["did you mean early_stopping?"]),
        ("lr=1", ["did you mean training.frozen.learning_rate or training.unfrozen.learn"]),
        ("training.epochs=1", ["mean training.frozen.epochs or training.unfrozen.epochs?"]),
        ("training.bs=1", ["did you mean batch_size?"]),
        ("batch=1", ["did you mean training.batch_size?"]),
        ("imgsz=96", ["did you mean image.size?"]),
        ("training.mixed_precision=true", ["did you mean precision?", "precision"]),
        ("model.arch=x", ["did you mean backbone?"]),
        ("training.dropout=0.1", ["did you mean model.head.dropout?"]),
        ("image.batch-size=1", ["did you mean training.batch_size?"]),
    ],
)
def test_an_unknown_key_is_named_with_its_path_and_the_keys_allowed(
    assignment: str, words: list[str]
) -> None:
    message = refusal(assignment, found=words[0], allowed="Allowed here:")
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("training.frozen.epochs=three", ["training.frozen.epochs", "the text 'three'", "integer"]),
        ("training.frozen.epochs=1.5", ["training.frozen.epochs", "the number 1.5", "integer"]),
        ("training.frozen.epochs=true", ["training.frozen.epochs", "True", "integer"]),
        ("training.frozen.epochs=-1", ["training.frozen.epochs", "-1", "or equal to 0"]),
        ("training.batch_size=0", ["training.batch_size", "0", "or equal to 1"]),
        ("training.frozen.learning_rate=0", ["training.frozen.learning_rate", "greater than 0"]),
        ("training.frozen.learning_rate=fast", ["learning_rate", "'fast'", "number"]),
        ("training.frozen.learning_rate=.inf", ["learning_rate", "inf", "finite"]),
        ("training.frozen.learning_rate=nan", ["learning_rate", "finite"]),
        ("training.frozen.optimizer=lion", ["'lion'", "'adam', 'adamw', 'sgd' or 'rmsprop'"]),
        ("gate.min_accuracy=80", ["gate.min_accuracy", "80", "less than or equal to 1"]),
        ("gate.beats_majority_class=1", ["gate.beats_majority_class", "boolean"]),
        ("data.source=5", ["data.source", "the number 5", "string"]),
        ("data.splits.test=0", ["data.splits.test", "0", "or equal to 1"]),
        ("data.splits={train: 1}", ["data.splits", "eval and test missing", "{train: 8, eval: 1"]),
        ("data.splits={train: 7, test: 3}", ["data.splits", "eval missing"]),
        ("data.group_by=(", ["data.group_by", "'('", "not a regular expression"]),
        ("image.fit=zoom", ["image.fit", "'zoom'", "'stretch', 'crop' or 'pad'"]),
        ("image.size=[299]", ["image.size", "at least 2 items"]),
        ("image.size=[299, 299, 3]", ["image.size", "at most 2 items"]),
        ("model.backbone=resnet", ["model.backbone", "'resnet'", "resnet50"]),
        ("model.head.dense=[{units: 0}]", ["model.head.dense.0.units", "or equal to 1"]),
        ("model.head.dropout=1.0", ["model.head.dropout", "less than 1"]),
        ("push.keep_versions=0", ["push.keep_versions", "or equal to 1"]),
        ("training.seed=4294967296", ["training.seed", "less than 4294967296"]),
        ("push.directory=null", ["push.directory", "nothing (null)", "string"]),
        ("pipeline_name=Solar Cells", ["pipeline_name", "'Solar Cells'", "a-z0-9"]),
        ("training.unfrozen.from_layer=-1", ["training.unfrozen.from_layer", "-1"]),
        ("training.unfrozen.from_layer=[3]", ["training.unfrozen.from_layer", "[3]"]),
        ("training=5", ["training", "the number 5", "a section is needed", "batch_size, seed"]),
        ("image.size=96", ["the number 96", "list; for example [96, 96]."]),
        ("image.size=[299]", ["for example [96, 96]."]),
        ("export.tflite=int8", ["the text 'int8'", "for example [int8]."]),
        ("model.head.dense=256", ["the number 256", "for example [{units: 256}]."]),
        ("pipeline_name=Solar Cells", ["lower-case letters, digits and -", "example solar-cells."]),
        ("training.batch_size=big", ["integer; for example 32."]),
        ("runtime.airflow.start_date=soon", ["a date as 2026-01-31"]),
    ],
)
def test_a_wrong_value_is_named_with_what_was_found_and_what_is_allowed(
    assignment: str, words: list[str]
) -> None:
    message = refusal(assignment, found=words[0], allowed=words[-1])
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("assignment", "name"),
    [
        ('gate.class_recall."v1.2"=0.9', "v1.2"),
        ("gate.class_recall.'a=b.c'=0.9", "a=b.c"),
        ("gate.class_recall.v1.2.3=0.9", "v1.2.3"),  # as a shell passes quotes on
        ("gate.class_recall.yes=0.9", "yes"),
        ("gate.class_recall={01: 0.9}", "01"),
        ('gate.class_recall={"null": 0.9}', "null"),
        ("gate={class_recall: {3.10: 0.9}}", "3.10"),
    ],
)
def test_a_class_name_is_read_as_it_is_written(assignment: str, name: str) -> None:
    assert build(assignment).gate.class_recall == {name: 0.9}


def test_names_with_dots_are_names_only_where_values_are_held_by_name() -> None:
    kubeflow = build("runtime.kubeflow.step.node_selector.example.org/pool=gpu").runtime.kubeflow
    assert kubeflow.step.node_selector == {"example.org/pool": "gpu"}
    steps = build("runtime.kubeflow.steps.Trainer.gpu=1").runtime.kubeflow.steps
    assert steps["Trainer"].gpu == 1
    assert build("runtime.airflow.pod.a.b=1").runtime.airflow.pod == {"a": {"b": 1}}


def test_of_many_faults_ten_are_told_and_the_rest_counted() -> None:
    many = (f"gate.x{n}=1" for n in range(25))
    lines = refusal(*many, found="gate.x9: unknown key", allowed="Allowed here").splitlines()
    assert (len(lines), lines[-1]) == (12, "  and 15 more")


def test_the_parts_of_the_splits_are_a_whole_and_one_is_set_beside_the_others() -> None:
    assert build("data.splits={train: 7, eval: 1, test: 2}").data.splits.test == 2
    one = build("data.splits.train=6").data.splits
    assert (one.train, one.eval, one.test) == (6, 1, 1)
    two = build("data.splits={train: 7, eval: 2, test: 2}", "data.splits.eval=1").data.splits
    assert (two.train, two.eval, two.test) == (7, 1, 2)


def test_every_fault_is_told_at_once() -> None:
    faults = ("training.seed=a", "gate.min_accuracy=2", "foo=1")
    assert len(refusal(*faults, found="the text 'a'", allowed="integer").splitlines()) == 4


def test_a_size_under_the_minimum_of_the_backbone_is_refused() -> None:
    refusal("image.size=[74, 299]", found="image.size: found [74, 299]", allowed="at least 75")
    assert build("image.size=[75, 299]").image_size == [75, 299]
    assert build("image.size=[32, 32]", "model.backbone=mobilenet").image_size == [32, 32]
    small = ("image.size=[31, 32]", "model.backbone=mobilenet")
    refusal(*small, found="image.size: found [31, 32]", allowed="mobilenet needs at least 32")


def test_training_nothing_is_refused() -> None:
    refusal(
        "training.frozen.epochs=0",
        "training.unfrozen.epochs=0",
        found="frozen.epochs and unfrozen.epochs are both 0",
        allowed="at least 1 is needed in one of them",
    )


def test_the_size_left_out_is_that_of_the_backbone() -> None:
    assert build("model.backbone=vgg16").image_size == [224, 224]


def test_the_bare_architecture_can_be_asked_for() -> None:
    built = build(
        "model.weights=null", "training.frozen.epochs=0", "training.unfrozen.from_layer=0"
    )
    assert (built.model.weights, built.training.unfrozen.from_layer) == (None, 0)


@pytest.mark.parametrize("number", ["1e-4", "1E-4", "1.0e-4", "0.0001"])
def test_a_number_with_an_exponent_is_a_number_with_or_without_a_point(number: str) -> None:
    assert build(f"training.frozen.learning_rate={number}").training.frozen.learning_rate == 1e-4


@pytest.mark.parametrize(("text", "value"), [("mixed7", "mixed7"), ("249", 249), ("null", None)])
def test_from_layer_is_a_name_or_an_index(text: str, value: str | int | None) -> None:
    from_layer = build(f"training.unfrozen.from_layer={text}").training.unfrozen.from_layer
    assert (from_layer, type(from_layer)) == (value, type(value))


def test_set_overrides_one_key_and_leaves_the_others() -> None:
    tree: dict[str, Any] = {"training": {"frozen": {"epochs": 7, "optimizer": "sgd"}, "seed": 4}}
    config.override(tree, "training.frozen.epochs=3")
    config.override(tree, "runtime.beam=[--a=b, --c]")
    assert tree == {
        "training": {"frozen": {"epochs": 3, "optimizer": "sgd"}, "seed": 4},
        "runtime": {"beam": ["--a=b", "--c"]},
    }


@pytest.mark.parametrize(
    ("words", "allowed", "next"),
    [
        ("training.seed", "KEY=VALUE is needed", "Write it as training.seed=1"),
        ("=3", "KEY=VALUE is needed", "Write it as training.seed=1"),
        ("training.seed=", "KEY=VALUE is needed", "training.seed=null for nothing"),
        ("training.seed=[1", "is not YAML, line 1: ", "A bracket is not closed"),
    ],
)
def test_an_override_that_is_no_assignment_is_refused(words: str, allowed: str, next: str) -> None:
    with refused(ConfigError, found=re.escape(f"--set {words}"), allowed=allowed, next=next):
        config.override({}, words)


def test_every_preset_is_valid_once_it_has_source_and_push_directory() -> None:
    assert "solar-cells" in config.presets()
    for name in config.presets():
        tree = config.read_preset(name)
        config.set_key(tree, "data.source", "pictures")
        config.set_key(tree, "push.directory", "models")
        config.build(tree)


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with refused(
        ConfigError, found="No preset 'solar'", allowed="allowed are .*solar-cells", next="Name one"
    ):
        config.read_preset("solar")


@pytest.mark.parametrize(
    ("content", "found", "allowed", "next"),
    [
        (b"- a\n", "holds a list", "sections such as `data:` are needed", "Write each key as"),
        (b"a: [1\n", "line 2", "is not YAML", "A bracket is not closed"),
        (b"\xff\xfe\xfa", "can't be read", "YAML in UTF-8 is needed", "Name such a file"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(
    tmp_path: Path, content: bytes, found: str, allowed: str, next: str
) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(content)
    with refused(ConfigError, found=f"{file}.*{found}", allowed=allowed, next=next):
        config.read_file(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with refused(
        ConfigError, found="none.yaml can't be read", allowed="is needed", next="Name such a file"
    ):
        config.read_file(tmp_path / "none.yaml")


def test_an_empty_file_lacks_keys_and_is_no_fault_of_yaml(tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.touch()
    assert config.read_file(file) == {}


def test_paths_are_absolute_and_know_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    built = build("runtime.root=~/runs", "push.directory=served")
    assert built.root == Path("/home/me/runs")
    assert built.metadata == "/home/me/runs/metadata.sqlite"
    assert built.pipeline_root == "/home/me/runs/image-classifier"
    assert built.push_directory == Path.cwd() / "served"
    assert build("runtime.metadata=~/m.db").metadata == "/home/me/m.db"
    assert build("runtime.root=gs://b/runs/").pipeline_root == "gs://b/runs/image-classifier"


def test_a_resolved_configuration_has_absolute_paths_and_the_same_keys_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    here = Path.cwd()
    found = build("data.source=[a, gs://b/c]", "model.weights=~/w.h5", "runtime.metadata=m.db")
    resolved = found.resolved()
    assert resolved.data.source == [f"{here}/a", "gs://b/c"]
    assert resolved.model.weights == "/home/me/w.h5"
    assert resolved.push.directory == f"{here}/models"
    assert resolved.runtime.root == f"{here}/transfer-pipeline-runs"
    assert resolved.runtime.metadata == f"{here}/m.db"
    assert resolved.resolved() == resolved
    plain = build("runtime.metadata=grpc://host").resolved()
    assert (plain.model.weights, plain.runtime.metadata) == ("imagenet", "grpc://host")
    assert "weights" not in plain.model.model_fields_set
    assert build("model.weights=null").resolved().model.weights is None
    config.build(resolved.model_dump())


def test_the_words_of_other_programs_stand_for_keys_that_there_are() -> None:
    known = set(config_faults._all_keys(config.Config))
    assert {key for keys in config_words.MEANT.values() for key in keys} <= known
    assert config_words.EXAMPLES.keys() <= known


@pytest.mark.parametrize(("key", "example"), config_words.EXAMPLES.items())
def test_every_example_is_a_value_that_the_configuration_takes(key: str, example: str) -> None:
    build(f"{key}={example}")


def test_every_pattern_of_the_settings_has_a_form_in_words() -> None:
    patterns = set(
        re.findall(r'"pattern": "(\^[^"]*)"', json.dumps(config.Config.model_json_schema()))
    )
    assert (
        patterns
        and {pattern.replace("\\\\", "\\") for pattern in patterns} <= config_words.FORMS.keys()
    )


@pytest.mark.parametrize(
    ("assignments", "standardize", "penalty", "dropped"),
    [
        ([], True, 0.03, 0.0),
        (["model.head.dense=[{units: 8}]"], True, 0.0, 0.2),
        (["model.head.l2=0"], True, 0.0, 0.2),
        (["model.head.dropout=0.4"], True, 0.03, 0.4),
        (["model.head.standardize=false"], False, 0.0, 0.2),
        (["model.head.pooling=flatten"], False, 0.0, 0.2),
        (["model.head.squeeze_excitation=4"], False, 0.0, 0.2),
        (["training.frozen.epochs=0"], False, 0.0, 0.2),
        (["training.frozen.epochs=0", "model.head.standardize=true"], True, 0.03, 0.0),
    ],
)
def test_what_a_head_leaves_out_is_decided_by_what_it_reads(
    assignments: list[str], standardize: bool, penalty: float, dropped: float
) -> None:
    tree: dict[str, Any] = {"data": {"source": "p"}, "push": {"directory": "p"}}
    for assignment in assignments:
        config.override(tree, assignment)
    found = config.build(tree)
    head = found.model.head
    assert (head.standardize, head.penalty, head.dropped) == (standardize, penalty, dropped)
    assert config.build(found.model_dump()).model.head == head


@pytest.mark.parametrize(
    ("assignment", "found", "allowed"),
    [
        (
            "runtime.notify={webhook: 'https://chat/%', command: [tell]}",
            "'webhook': '...'",
            "one of command and webhook is needed",
        ),
        ("runtime.notify.webhook=ftp://chat/%", "'...'", "an address is needed"),
        ("runtime.notify.webhook=[https://chat/%]", "a list ['...']", "a valid string"),
        ("runtime.notify=[{webhook: 'https://chat/%'}]", "[{'webhook': '...'}]", "keys of command"),
        ("runtime.metadata=mysql://me:%@/runs", "'mysql://me:...@/runs'", "the URL names no host"),
        ("runtime.metadata=mysql://me:/%@host/x", "'mysql://me:...@host/x'", "the form mysql://"),
        ("runtime.metadata=[mysql://me:%@host/x]", "['mysql://me:...@host/x']", "a valid string"),
        (
            "runtime.metadata=postgresql://me@host/runs?sslpassword=%&ssl=1",
            "sslpassword=...&ssl=1'",
            "allowed are sslcert",
        ),
        ("runtime.metadata=mysql://me:a %@host", "'mysql://me:...@host'", "the form mysql://"),
        ("runtime.metadata=mysql://me@host/x?password=%", "?password=...'", "allowed are ca"),
        ("runtime.beam=--s3_secret_access_key=%", "'--s3_secret_access_key=...'", "a valid list"),
        (
            "runtime.kubeflow.step.env=[{name: AWS_SECRET_ACCESS_KEY, value: %}]",
            "'value': '...'",
            "a valid dictionary",
        ),
    ],
)
def test_no_message_has_a_password_or_a_webhook(assignment: str, found: str, allowed: str) -> None:
    told = refusal(
        assignment.replace("%", "51lence"), found=found, allowed=allowed, next="correct these keys"
    )
    assert "51lence" not in told


def test_a_schedulers_run_decides_what_its_configuration_left_to_the_phases() -> None:
    for key, value, decided in (
        ("training.frozen.epochs", 0, False),
        ("model.head.squeeze_excitation", 4, False),
        ("training.seed", 1, True),
    ):
        tree = build().scheduled
        config.set_key(tree, key, value)
        assert config.build(tree).model.head.standardize is decided
    assert build("model.head.standardize=false").scheduled["model"]["head"]["standardize"] is False
    assert config.build(build().scheduled) == build().resolved()


def test_the_report_has_no_secret_of_arguments_and_environments() -> None:
    made = build(
        "runtime.beam=[--runner=FnApiRunner, --s3_secret_access_key=51lence, --s3_region=here, "
        "--azure_connection_string, 51lence]",
        "runtime.kubeflow.step.env={AWS_SECRET_ACCESS_KEY: 51lence, AWS_REGION: here}",
        "runtime.airflow.pod={env_vars: [{name: PGPASSWORD, value: 51lence}], labels: {team: us}}",
    )
    assert "51lence" not in json.dumps(made.reported)
    shown = made.reported["runtime"]
    assert shown["beam"][1:3] == ["--s3_secret_access_key=...", "--s3_region=here"]
    assert shown["kubeflow"]["step"]["env"]["AWS_REGION"] == "here"
    assert shown["airflow"]["pod"]["labels"] == {"team": "us"}
    assert "51lence" in json.dumps(made.runtime.beam)


def test_the_report_has_no_password_and_no_webhook() -> None:
    store, chat = "postgresql://me:51lence@host/runs?sslpassword=51lence", "https://chat/51lence"
    made = build(f"runtime.metadata={store}", f"runtime.notify.webhook={chat}")
    assert "51lence" not in json.dumps(made.reported)
    assert made.reported["runtime"]["metadata"] == "postgresql://me:...@host/runs?sslpassword=..."
    assert made.metadata == store
