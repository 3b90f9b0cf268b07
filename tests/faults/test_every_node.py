"""KILL, TERM and INT in every node, then files of the finished run deleted and changed by hand."""

from __future__ import annotations

import dataclasses
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto.metadata_store_pb2 import Execution

from components.settings import metadata
from pipeline import config
from pipeline.nodes import node_ids
from tests import made_pictures
from tests.e2e.conftest import SMALL
from tests.faults.explains import explains
from tests.faults.forked_commands import Commands, Death, Ended, commands

pytestmark = pytest.mark.slow

_MIDDLES = {
    "Trainer": "components.trainer.training_state:TrainingState.save",
    "Pusher": "serving.atomic_files:copy_tree",
}
"""Calls amid the work of nodes whose work has parts that a next attempt goes on from."""


@dataclasses.dataclass
class Place:
    """Pictures, a root, and what starts commands there."""

    pictures: Path
    root: Path
    commands: Commands

    @property
    def nodes(self) -> list[str]:
        """The ids of all nodes, by the definition."""
        tree: dict[str, Any] = {}
        for assignment in (*SMALL, f"data.source={self.pictures}", "push.directory=served"):
            config.override(tree, assignment)
        return node_ids(config.build(tree))

    def run(self, death: Death | None = None) -> Ended:
        """Runs the pipeline."""
        words = [word for key in SMALL for word in ("--set", key)]
        places = ["--data", str(self.pictures), "--root", str(self.root)]
        return self.commands.run("run", *places, "--json", *words, death=death)

    def only(self, pattern: str) -> Path:
        """Returns the newest file of the pipeline that matches."""
        found = (self.root / "image-classifier").glob(pattern)
        return max(found, key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("kills")
    pictures = made_pictures.make(folder / "pictures", 40)
    with commands(folder) as started:
        yield Place(pictures, folder / "root", started)


def _check_end(place: Place, ended: Ended, node: str, number: int) -> None:
    assert not ended.left, f"a child process outlived {node}"
    if number == signal.SIGKILL:
        assert ended.code == -number, ended.stderr
        return
    assert ended.code == 1, ended.stderr
    assert f"{node} " in ended.stderr and "interrupted" in ended.stderr
    explains(
        ended.stderr,
        found="Interrupted",
        allowed="from the last finished step",
        next="the same command goes on",
    )
    assert not list(place.commands.temporary.iterdir())


def _scores(place: Place) -> str:
    return place.only("Trainer/model/*/network_answers.json").read_text()


def test_a_kill_in_every_node_changes_nothing_of_the_result(place: Place) -> None:
    undisturbed = dataclasses.replace(place, root=place.root.with_name("undisturbed"))
    wanted = undisturbed.run()
    assert wanted.result["verdict"] == "pushed", wanted.stderr
    nodes = sorted(place.nodes, key=list(wanted.result["components"]).index)  # as they run
    for node in nodes:
        for number, when in (
            (signal.SIGKILL, "after"),
            (signal.SIGTERM, "before"),
            (signal.SIGINT, _MIDDLES.get(node, "before")),
        ):
            ended = place.run(Death(node, number, when))
            _check_end(place, ended, node, number)
    done = place.run()
    assert done.code == 0, done.stderr
    assert done.result["pushed_version"] or done.result["verdict"] == "unchanged"
    assert done.result["metrics"] == wanted.result["metrics"]
    assert _scores(place) == _scores(undisturbed)
    assert not list(place.commands.temporary.iterdir())
    store = MetadataStore(metadata.connection_config(str(place.root / "metadata.sqlite")))
    states = {each.last_known_state for each in store.get_executions()}
    assert Execution.RUNNING not in states and Execution.NEW not in states


@pytest.mark.parametrize(
    "pattern",
    [
        "ImageExampleGen/examples/*/Split-train/*",
        "BottleneckGen/bottlenecks/*/Split-train/*",
        "Trainer/model/*/network_answers.json",
    ],
)
def test_a_file_that_was_deleted_or_changed_is_made_anew(place: Place, pattern: str) -> None:
    if not place.root.exists():
        place.run()
    wanted = _scores(place)
    file = place.only(pattern)
    if "network_answers" in pattern:
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] + bytes(8) + content[len(content) // 2 + 8 :])
    done = place.run()
    assert done.code == 0, done.stderr
    explains(
        done.stderr,
        found=f"{file} was changed|{file} is not there any more",
        allowed=r"written|not there any more",
        next=rf"{file.relative_to(place.root).parts[1]} makes it anew; what was there is kept in",
    )
    assert _scores(place) == wanted
    assert place.only(pattern).parent != file.parent


def test_a_store_that_was_deleted_costs_one_run(place: Place) -> None:
    if not place.root.exists():
        place.run()
    wanted = _scores(place)
    for file in place.root.glob("metadata.sqlite*"):
        file.unlink()
    shutil.rmtree(place.root / "image-classifier" / "Trainer" / "model")
    done = place.run()
    assert (done.code, done.result["verdict"]) == (0, "unchanged"), done.stderr
    assert _scores(place) == wanted
