"""Makes the tutorial's pictures: `.venv/bin/python tools/doc_pictures.py FOLDER`.

Plays docs/tutorial.md in FOLDER on 200 solar cells (and 100 more in the second week), keeps what
each command printed in FOLDER/transcripts, and draws docs/pictures/ from it. A transcript that is
there already is not played again: delete FOLDER to play from the start. Takes ten minutes on two
cores and Chromium for the pictures of the pages.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from doc_drawing import draw_terminal, photograph

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
COMMAND = str(Path(sys.executable).parent / "transfer-pipeline")
SERVED = "transfer-pipeline-runs/served/cells"
KINDS = {"mono": "monocrystalline", "poly": "polycrystalline"}
FIRST_WEEK, SECOND_WEEK = 100, 50  # pictures of each class


class Play:
    """A folder in which commands are typed, and what they printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.transcripts = folder / "transcripts"
        self.transcripts.mkdir(parents=True, exist_ok=True)

    def type(self, name: str, *lines: str, ends_with: int = 0) -> str:
        """Types commands one after the other; returns prompts and output, from an earlier play too.

        Raises SystemExit where a command has another exit code than `ends_with`.
        """
        kept = self.transcripts / (name + ".txt")
        if kept.exists():
            return kept.read_text("utf-8")
        begun = time.monotonic()
        text = "".join(f"$ {line}\n{self._output(line, ends_with)}" for line in lines)
        kept.write_text(text, "utf-8")
        print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
        return text

    def _output(self, line: str, ends_with: int) -> str:
        done = subprocess.run(
            line.replace("transfer-pipeline", COMMAND, 1).split(),
            cwd=str(self.folder),
            env=dict(os.environ, COLUMNS="100", NO_COLOR="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        if done.returncode != ends_with:
            raise SystemExit(f"{line}\n{done.stdout}")
        text = done.stdout.replace(str(self.folder.resolve()) + os.sep, "")
        return text.replace(COMMAND, "transfer-pipeline").replace(str(Path.home()), "~")

    def server(self) -> "subprocess.Popen[bytes]":
        """Starts `serve` and returns it when its model is loaded."""
        log = (self.transcripts / "server.log").open("wb")
        process = subprocess.Popen(
            [COMMAND, "serve", "--model-dir", SERVED],
            cwd=str(self.folder),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        for _ in range(120):
            time.sleep(1)
            if "AVAILABLE" in (self.transcripts / "server.log").read_text("utf-8"):
                break
        return process


def deal(folder: Path) -> None:
    """Copies the first week's cells to `folder/cells`, the second week's to `folder/new`.

    A class is the kind of crystal, which the package's list names.
    """
    from pipeline.commands.demo_data import every_cell

    by_kind = defaultdict(list)
    for cell in every_cell():
        by_kind[cell.kind].append(cell.file)
    for kind, files in by_kind.items():
        drawn = random.Random(0).sample(sorted(files), FIRST_WEEK + SECOND_WEEK)
        for place, some in (("cells", drawn[:FIRST_WEEK]), ("new", drawn[FIRST_WEEK:])):
            target = folder / place / KINDS[kind]
            target.mkdir(parents=True, exist_ok=True)
            for file in some:
                shutil.copy2(str(file), str(target))


def play(folder: Path) -> None:
    """Plays the tutorial up to what earlier plays have left."""
    stage = Play(folder)
    if not (folder / "cells").exists():
        deal(folder)
    stage.type("init", "transfer-pipeline init cells")
    stage.type("run", "transfer-pipeline run --config cells.yaml")
    [mono, poly] = [sorted((folder / "new").glob(kind + "/*"))[0] for kind in KINDS.values()]
    asked = " ".join(str(path.relative_to(folder)) for path in (mono, poly))
    if not (stage.transcripts / "classify.txt").exists():
        process = stage.server()
        try:
            stage.type("classify", f"transfer-pipeline classify {asked}")
        finally:
            process.terminate()
            process.wait()
    if not (stage.transcripts / "second.txt").exists():
        shutil.copytree(str(folder / "new"), str(folder / "cells"), dirs_exist_ok=True)
    stage.type("second", "transfer-pipeline run --config cells.yaml")
    stage.type("slip", f"transfer-pipeline run --config cells.yaml {_rate('50')}")
    versions = sorted(path.name for path in (folder / SERVED).iterdir() if path.name.isdigit())
    stage.type(
        "rollback",
        f"transfer-pipeline versions --model-dir {SERVED}",
        f"transfer-pipeline rollback --model-dir {SERVED} --to {versions[0]}",
        f"transfer-pipeline versions --model-dir {SERVED}",
    )
    few = f"transfer-pipeline run --config cells.yaml {_rate('0.000000001')}"
    stage.type("refused", few, ends_with=1)
    stage.type("page", "transfer-pipeline runs --root transfer-pipeline-runs --page")


def _rate(rate: str) -> str:
    return f"--set training.frozen.learning_rate={rate} --set training.unfrozen.epochs=0"


def draw(folder: Path) -> None:
    """Draws what was played."""
    PICTURES.mkdir(exist_ok=True)
    for name in ("init", "run", "classify", "second", "slip", "rollback", "refused"):
        text = (folder / "transcripts" / (name + ".txt")).read_text("utf-8")
        (PICTURES / (name + ".svg")).write_text(draw_terminal(text), "utf-8")
    text = (folder / "transcripts" / "run.txt").read_text("utf-8")
    [report] = re.findall(r"^Report +(\S+)$", text, re.MULTILINE)
    photograph(folder / report, PICTURES / "report.png", height=1000)
    page = folder / "transfer-pipeline-runs" / "runs.html"
    photograph(page, PICTURES / "page.png", height=1000)


def main() -> int:
    """Plays and draws; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the tutorial is played; kept")
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    play(folder)
    draw(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
