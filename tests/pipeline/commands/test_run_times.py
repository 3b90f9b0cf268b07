from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.run_times import by_node
from pipeline.store.runs import Node, Run


class Told(Run):
    """A run that knows its documents."""

    documents: dict[str, Any]

    def document(self, output: Any, name: str) -> Any:
        return self.documents.get(name)


def configuration(backbone: str = "mobilenet", epochs: int = 2) -> dict[str, Any]:
    training = {"frozen": {"epochs": epochs}, "unfrozen": {"epochs": epochs}}
    return {"model": {"backbone": backbone}, "image": {"size": None}, "training": training}


def told(nodes: dict[str, Node], pictures: int, **words: Any) -> Told:
    run = Told("id", nodes, {})
    run.documents = {
        "configuration.json": configuration(**words),
        "report.json": {"accepted": pictures},
    }
    return run


def test_the_latest_time_of_each_node_counts_by_pictures_and_epochs() -> None:
    older = told({"Trainer": Node("ran", 10.0), "Transform": Node("ran", 4.0)}, 100)
    newer = told({"Trainer": Node("cached", 0.1), "Transform": Node("ran", 6.0)}, 100)
    newer.nodes["Pusher"] = Node("ran", 1.0)
    found = by_node([newer, older], configuration(epochs=4), 200)
    assert found == pytest.approx({"Trainer": 40.0, "Transform": 12.0, "Pusher": 1.0})


def test_a_run_of_another_network_or_without_a_report_says_nothing(tmp_path: Path) -> None:
    other = told({"Trainer": Node("ran", 10.0)}, 100, backbone="vgg16")
    ended = Told("id", {"Trainer": Node("ran", 10.0)}, {})
    ended.documents = {}
    assert by_node([other, ended], configuration(), 100) == {}
