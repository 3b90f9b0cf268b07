"""`evaluate --server` on files; here, since a process with a gRPC server can't fork any more."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from components.image_example_gen.sources import SourceFile
from pipeline.commands.evaluate import Request, _by_server
from pipeline.commands.evaluate_answer import Answer
from tests.serving.client.test_client import Moody, served


def test_a_file_that_cannot_be_read_is_a_refused_picture_of_a_server_too(
    tmp_path: Path,
) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "kept.png")
    names = ("gone.png", "kept.png")
    files = [SourceFile(str(tmp_path / name), name, "red", 1, 1) for name in names]
    with served(Moody(lambda *_: None)) as address:
        request = Request(data=str(tmp_path), server=address)
        gone, kept = _by_server(request, None, files)
    assert gone == "No such file or directory"
    assert kept == Answer("red", 1.0)
