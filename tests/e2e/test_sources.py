"""Every kind of source at once, from where the pictures lie to a pushed model."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from pipeline.commands.check import check
from pipeline.commands.run import Request, build_config, execute
from pipeline.launch import environment
from tests import made_pictures
from tests.components.image_example_gen.memory_files import MemoryFiles
from tests.e2e.conftest import SMALL

BEAM = ["--runner=FnApiRunner", "--direct_running_mode=multi_threading", "--direct_num_workers=2"]


def _manifest(folder: Path, pictures: list[Path]) -> str:
    """Names pictures by absolute paths; those of one number are one group, whatever their class."""
    rows = [f"{path},{path.parent.name},{path.stem}" for path in pictures]
    path = folder / "list.csv"
    path.write_text("\n".join(["path,label,group", *rows, "gone.png,red,gone"]))
    return str(path)


def _records(folder: Path, pictures: list[Path]) -> str:
    """Writes what any tool of TensorFlow's writes, in two files, one of them compressed."""
    folder = folder / "records"
    folder.mkdir()
    for number, options in enumerate((None, "GZIP")):
        name = f"part-{number}.tfrecord{'.gz' if options else ''}"
        with tf.io.TFRecordWriter(str(folder / name), options) as file:
            for path in pictures[number::2]:
                example = tf.train.Example()
                feature = example.features.feature
                feature["image/encoded"].bytes_list.value.append(path.read_bytes())
                feature["image/label"].bytes_list.value.append(path.parent.name.encode())
                file.write(example.SerializeToString())
    return str(folder / "part-*")


def _remote(pictures: list[Path]) -> str:
    for path in pictures:
        MemoryFiles.content[f"mem://b/far/{path.parent.name}/{path.name}"] = path.read_bytes()
    MemoryFiles.content["mem://b/far/red/empty.png"] = b""
    MemoryFiles.content["mem://b/far/red/Thumbs.db"] = b"x"
    return "mem://b/far"


@dataclasses.dataclass(frozen=True)
class Done:
    """The run, how often it listed the remote folder, and what `check` says of the same words."""

    result: dict[str, Any]
    listed: int
    ingested: dict[str, Any]
    checked: dict[str, Any]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    environment.prepare()
    folder = tmp_path_factory.mktemp("sources")
    pictures = sorted(made_pictures.make(folder / "pictures", 40).glob("*/*"))
    MemoryFiles.clear()
    sources = [
        _manifest(folder, pictures[0::3]),
        _records(folder, pictures[1::3]),
        _remote(pictures[2::3]),
    ]
    words = [*SMALL, f"runtime.beam={json.dumps(BEAM)}", "data.max_rejected_fraction=0.1"]
    request = Request(data=sources, root=str(folder / "root"), assignments=words)
    result = execute(request)
    listed = sum(MemoryFiles.listed.values())
    [ingested] = (folder / "root").glob("*/ImageExampleGen/ingest_report/*/report.json")
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda text, **_: said.append(text))
        check(build_config(request).data, as_json=True)
    yield Done(result, listed, json.loads(ingested.read_text()), json.loads(said[-1]))
    MemoryFiles.clear()


def test_a_manifest_records_and_a_remote_folder_make_one_model(done: Done) -> None:
    assert done.result["verdict"] == "pushed"
    assert done.result["metrics"]["accuracy"] >= 0.8
    assert done.ingested["accepted"] == 120
    by_class = Counter[str]()
    for counts in done.ingested["counts"].values():
        by_class.update(counts)
    assert by_class == {"blue": 40, "green": 40, "red": 40}


def test_what_each_source_could_not_give_is_told(done: Done) -> None:
    reasons = {row["file"]: row["reason"] for row in done.ingested["rejected"]}
    assert reasons == {
        "list/gone.png": "can't be read: No such file or directory",
        "far/red/empty.png": "empty file",
    }
    assert done.ingested["ignored"] == 1


def test_a_remote_folder_is_listed_once_in_a_whole_run(done: Done) -> None:
    assert done.listed == 1


def test_check_and_the_run_agree(done: Done) -> None:
    of_check_alone = {"changes", "would_stop"}
    agreed = {key: done.ingested[key] for key in done.checked.keys() - of_check_alone}
    assert done.checked == agreed | {"changes": None, "would_stop": None}
