"""`versions --check`, `rollback` and InfraValidator try models in a process of its own."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import cli
from serving import session_trial, trial_worker
from serving.client import Client
from serving.local_server.process import ServerFailed
from serving.publishing import publish
from serving.session_trial import NotTried, started_ahead, trial_process, try_session
from serving.versions import served
from tests.serving.samples import png
from tests.serving.tiny_model import add_warmup, predict_request

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Calls the command; returns exit code, output and error output."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["transfer-pipeline", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def model_dir(saved_model: Path, tmp_path: Path) -> Path:
    """A good version and, published last, one whose variables were not copied."""
    bad = Path(shutil.copytree(saved_model, tmp_path / "bad"))
    (bad / "variables" / "variables.data-00000-of-00001").unlink()
    for model in (saved_model, bad):
        publish(model, tmp_path / "served")
    return tmp_path / "served"


def test_versions_check_says_of_each_whether_it_can_be_served(say: Say, model_dir: Path) -> None:
    code, out, _ = say("versions", "--model-dir", model_dir, "--check")
    newest, oldest = out.splitlines()
    assert code == 1
    assert "broken  can't be served: NOT_FOUND: " in newest and "variables.data" in newest
    assert oldest.endswith("older  can be served")
    code, out, _ = say("versions", "--model-dir", model_dir, "--check", "--json")
    assert [bool(row["fault"]) for row in json.loads(out)] == [True, False]


def test_a_rollback_says_where_it_leads_to_a_version_that_no_server_can_load(
    say: Say, model_dir: Path
) -> None:
    newest, oldest = sorted((int(path.name) for path in model_dir.glob("1*")), reverse=True)
    assert say("rollback", "--model-dir", model_dir, "--to", oldest) == (
        0,
        f"{model_dir} serves version {oldest}\n",
        "",
    )
    code, _, err = say("rollback", "--model-dir", model_dir, "--to", newest)
    assert code == 0
    assert f"warning: version {newest} can't be served (NOT_FOUND: " in err
    assert f"`rollback --model-dir {model_dir} --to {oldest}` goes back" in err
    current = served(model_dir)
    assert current is not None and current.name == str(newest)


def test_a_model_is_tried_with_its_warm_up_and_every_signature(
    saved_model: Path, tmp_path: Path
) -> None:
    picture = png()
    trial = try_session(saved_model, [picture, picture])
    assert trial.fault is None
    assert {name: len(rows) for name, rows in trial.answers.items()} == {
        "serving_default": 2,
        "serve_examples": 2,
    }
    broken = Path(shutil.copytree(saved_model, tmp_path / "broken"))
    add_warmup(broken, predict_request([b"no picture"]))
    assert "Unknown image file format" in (try_session(broken).fault or "")


def test_a_version_that_was_tried_is_served_without_loading_it_again(
    saved_model: Path, tmp_path: Path
) -> None:
    version = Path(shutil.copytree(saved_model, tmp_path / "served" / "1"))
    picture = png()
    with trial_process() as process:
        tried = process.try_model(version, [picture])
        (version / "variables" / "variables.data-00000-of-00001").unlink()
        with process.serving(version.parent, "cats") as address, Client(address, "cats") as client:
            [found] = client.classify([picture])
    [(classes, scores)] = tried.answers["serving_default"]
    assert dict(zip(found.classes, found.scores, strict=True)) == pytest.approx(
        dict(zip(classes, scores, strict=True))
    )


def test_another_version_than_the_tried_one_is_loaded(saved_model: Path, tmp_path: Path) -> None:
    version = Path(shutil.copytree(saved_model, tmp_path / "served" / "1"))
    (version / "variables" / "variables.data-00000-of-00001").unlink()
    with trial_process() as process:
        assert process.try_model(saved_model).fault is None
        serving = process.serving(version.parent, "cats")
        with pytest.raises(ServerFailed, match="does not load"), serving:
            pass


def test_a_model_that_ends_its_process_is_a_fault_and_no_end_of_ours(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ends = tmp_path / "python"
    ends.write_text("#!/bin/sh\necho terminate called after throwing >&2\nkill -ABRT $$\n")
    ends.chmod(0o755)
    monkeypatch.setattr(session_trial.sys, "executable", str(ends))
    fault = try_session(saved_model).fault
    assert fault is not None
    assert "exit code -6" in fault and "terminate called" in fault


def test_without_tensorflow_nothing_is_said_of_a_model(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ModuleNotFoundError('No module tensorflow')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NotTried, match="extra `pipeline`"):
        try_session(saved_model)


def test_a_model_is_loaded_before_it_is_tried(saved_model: Path, tmp_path: Path) -> None:
    ahead = Path(shutil.copytree(saved_model, tmp_path / "ahead"))
    tried = trial_worker.Tried()
    tried.load_ahead(ahead)
    (ahead / "variables" / "variables.data-00000-of-00001").unlink()
    found = tried.answer(ahead, [png()])
    assert found["fault"] is None and len(found["answers"]["serving_default"]) == 1
    assert "variables" in tried.answer(ahead, [png()])["fault"]  # a second trial loads it


def test_a_loaded_model_that_had_to_go_for_another_is_loaded_again(
    saved_model: Path, tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(saved_model, tmp_path / "damaged"))
    (damaged / "variables" / "variables.data-00000-of-00001").unlink()
    tried = trial_worker.Tried()
    tried.load_ahead(saved_model)
    assert "variables" in tried.answer(damaged, [png()])["fault"]
    assert tried.answer(saved_model, [png()])["fault"] is None


@pytest.mark.parametrize("ahead", ["other", "missing"])
def test_what_was_loaded_before_does_not_answer_for_another_model(
    saved_model: Path, tmp_path: Path, ahead: str
) -> None:
    if ahead == "other":
        shutil.copytree(saved_model, tmp_path / ahead)
    damaged = Path(shutil.copytree(saved_model, tmp_path / "damaged"))
    (damaged / "variables" / "variables.data-00000-of-00001").unlink()
    with started_ahead(tmp_path / ahead), trial_process() as process:
        assert "variables" in (process.try_model(damaged).fault or "")
        assert process.try_model(saved_model).fault is None
