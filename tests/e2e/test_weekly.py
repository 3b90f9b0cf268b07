"""Three weeks of one configuration (docs/weekly.md): nothing worse gets served, nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.run import Request, execute
from serving import versions
from serving.client import Client, ClientError
from tests import made_pictures
from tests.e2e.conftest import SMALL
from tests.serving.server_process import ServerProcess

pytestmark = pytest.mark.slow

_WEEKLY = [
    *SMALL,
    "data.window=2",
    "training.warm_start=true",
    # So few test pictures that a good model and a better one can't be told apart.
    "gate={min_accuracy: 0, min_class_recall: 0, beats_majority_class: false}",
]


@contextmanager
def _asked_all_the_time(server: ServerProcess, picture: Path) -> Iterator[list[Any]]:
    """Asks the server without a pause; gives what it answered, or how it failed."""
    answers: list[Any] = []
    stop = threading.Event()

    def ask() -> None:
        with Client(server.address) as client:
            while not stop.is_set():
                try:
                    answers.append(client.classify([picture])[0].classes[0])
                except ClientError as error:
                    answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        stop.set()
        asking.join()


def test_three_weeks(tmp_path: Path) -> None:
    pictures, root = tmp_path / "pictures", tmp_path / "root"
    served = root / "served" / "image-classifier"

    def week(span: int, *assignments: str) -> dict[str, Any]:
        made_pictures.make(pictures / f"week-{span}", 30, seed=span)
        source = str(pictures / "week-{SPAN}")
        words = [*_WEEKLY, *assignments]
        return execute(Request(data=source, root=str(root), assignments=words))

    first = week(1, "training.frozen.epochs=1", "training.frozen.learning_rate=1e-6")
    assert first["verdict"] == "pushed"

    server = ServerProcess(served)
    server.wait_until_listening()
    server.wait_for_states(**{f"_{first['pushed_version']}": "AVAILABLE"})
    try:
        with _asked_all_the_time(server, pictures / "week-1" / "red" / "000.png") as answers:
            second = week(2)
            assert second["verdict"] == "pushed"
            assert second["metrics"]["accuracy"] > first["metrics"]["accuracy"]
            server.wait_for_states(**{f"_{second['pushed_version']}": "AVAILABLE"})

            third = week(
                3,
                "training.warm_start=false",
                "training.frozen.epochs=1",
                "training.frozen.learning_rate=1e-9",
                "training.unfrozen.epochs=0",
            )
            assert third["verdict"] == "refused"
            assert [row["metric"] for row in third["gate"] if not row["passed"]] == [
                "accuracy_vs_served"
            ]
            assert versions.served(served) == served / str(second["pushed_version"])
    finally:
        server.stop()
    assert answers
    assert not [answer for answer in answers if isinstance(answer, ClientError)]
    assert answers[-1] == "red"
