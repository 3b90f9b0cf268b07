"""The pages of the documentation: links, anchors, commands, settings and pictures."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from pipeline import cli, config
from tests.checkout_tools import ROOT

DOCS = ROOT / "docs"
OUTSIDE = ("README.md", "CHANGELOG.md", "benchmarks/README.md", "serving/deploy/README.md")
PAGES = sorted(DOCS.glob("*.md")) + [ROOT / name for name in OUTSIDE]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FIGURE = re.compile(
    r"\d\s?(?:%|ms\b|s\b|[kMG]B\b|minutes?\b|seconds?\b|hours?\b|pictures/s)|\bminutes\b"
)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts and MkDocs' toc make them."""
    titles = re.findall(r"^#+ (.*)$", _prose(page.read_text("utf-8")), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", title.lower()) for title in titles)
    return {re.sub(r"\s", "-", title.strip()) for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_and_anchor_leads_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(_prose(page.read_text("utf-8"))):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_page_is_in_the_navigation() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    named = set(re.findall(r"[\w-]+\.md", str(nav)))
    assert {page.name for page in DOCS.glob("*.md")} <= named


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every documented command line of the project, with the page that it stands in."""
    for page in PAGES:
        blocks = re.findall(r"```(?:console|bash|sh)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            found = re.match(r"(?:\$ )?(?:\.venv/bin/)?transfer-pipeline (.*)", line)
            if found:
                yield _name(page), shlex.split(found[1].replace("<(", "("), comments=True)


def test_every_documented_command_and_option_is_there() -> None:
    top: Any = typer.main.get_command(cli.app)
    unknown, seen = [], 0
    for page, words in _commands():
        command = top
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts}
        options |= {name for parameter in command.params for name in parameter.secondary_opts}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        missing = given - options - {"--help"}
        if command is top and not given or missing:
            unknown.append((page, words, sorted(missing)))
        seen += 1
    assert unknown == []
    assert seen > 50


@pytest.mark.parametrize("page", sorted(DOCS.glob("coming-from-*.md")), ids=_name)
def test_the_settings_for_those_who_come_from_elsewhere_are_valid(page: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        config.build(yaml.safe_load(block))


def _paragraphs(text: str) -> list[str]:
    """Paragraphs, points of lists and tables, without code."""
    parts = re.split(r"\n\s*\n|\n(?=- )", _prose(text))
    return [part.strip("\n") for part in parts if part.strip()]


def test_no_paragraph_of_the_readme_is_longer_than_five_lines() -> None:
    paragraphs = _paragraphs((ROOT / "README.md").read_text("utf-8"))
    long = [part for part in paragraphs if not part.startswith("|") and part.count("\n") >= 5]
    assert long == []
    assert max(len(line) for part in paragraphs for line in part.splitlines()) <= 160


def test_every_figure_of_the_readme_links_to_its_record() -> None:
    paragraphs = _paragraphs((ROOT / "README.md").read_text("utf-8"))
    assert any(map(_FIGURE.search, paragraphs))
    bare = []
    for before, part in zip(["", *paragraphs], paragraphs, strict=False):
        linked = part + before if part.startswith("|") else part  # a table's record stands above it
        if _FIGURE.search(part) and not _LINK.search(linked):
            bare.append(part)
    assert bare == []


def test_the_pictures_are_small_used_and_name_no_machine() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    pictures = sorted((DOCS / "pictures").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 150_000, picture.name
        assert f"pictures/{picture.name}" in text, picture.name
        if picture.suffix == ".svg":
            drawn = picture.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://|/root|/home/|/work|/tmp", drawn), picture.name
