"""Adds pages from outside docs/ to MkDocs' site, and looks at what the site would load.

README and others stand where readers of the repository look for them; the site has them, too, and
links between them lead to the site's pages.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Any, Dict

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "serving/deploy/README.md": "deploy.md",
}
"""Pages of the site by the file that they are made from, relative to the checkout."""
RECORDS = "benchmarks/records/"
LINK = re.compile(r"(\]\()([^)#\s:]+)(#[^)\s]*)?(\))")  # no address of another host has no colon
MERMAID = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)  # would need a script of another host
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(https?:)?//"""
    r"""|<link\b[^>]*rel=["']?(?:stylesheet|preconnect|preload|icon)[^>]*href=["']?(https?:)?//"""
    r"""|url\(["']?(https?:)?//|@import ["'](https?:)?//"""
)


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages from outside docs/ and the benchmarks' records."""
    made = {
        page: rewritten((ROOT / source).read_text("utf-8"), source)
        for source, page in PAGES.items()
    }
    for record in sorted((ROOT / RECORDS).glob("*.json")):
        made["records/" + record.name] = record.read_text("utf-8")
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Leads a page's links out of docs/ to the site's pages."""
    if page.file.src_uri in PAGES.values():
        return markdown
    return rewritten(markdown, "docs/" + page.file.src_uri)


def rewritten(markdown: str, source: str) -> str:
    """Returns a page's text for the site, whose pages all lie in one folder.

    Args:
      markdown: the text.
      source: the file that it stands in, relative to the checkout.
    """

    def lead(found: Any) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[2]))
        if path.startswith(RECORDS):
            path = "docs/records/" + posixpath.basename(path)
        path = "docs/" + PAGES[path] if path in PAGES else path
        return found[1] + os.path.relpath(path, "docs") + (found[3] or "") + found[4]

    return LINK.sub(lead, MERMAID.sub("", markdown))


def on_post_build(config: Any) -> None:
    """Raises PluginError where a page or a style sheet would load something from another host."""
    loads: Dict[str, str] = {}
    for path in sorted(Path(config["site_dir"]).rglob("*")):
        if path.suffix in (".html", ".css", ".svg"):
            found = LOADED.search(path.read_text("utf-8"))
            if found:
                loads[path.name] = found[0]
    if loads:
        raise PluginError(f"The site would load from other hosts: {loads}")
