"""Plays a Kubeflow Pipelines host: answers as its REST API v2beta1 does, and notes what it got."""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_KINDS = {"experiments": "experiment_id", "runs": "run_id", "recurringruns": "recurring_run_id"}


class Host:
    """The objects on the host, by kind."""

    def __init__(self) -> None:
        self.there: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
        self.tokens: set[str | None] = set()
        self.url = ""
        self.refuses = False  # what would change something

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Returns the answer to a request; None where there is no such place."""
        url = urllib.parse.urlsplit(path)
        place = re.fullmatch(r"/apis/v2beta1/(\w+)(?:/([\w-]+))?", url.path)
        if place and place[1] == "healthz":
            return {"multi_user": False}
        if not place or place[1] not in _KINDS:
            return None
        kind, there = place[1], self.there[place[1]]
        if method == "POST":
            there.append({**body, _KINDS[kind]: f"{kind}-{len(there) + 1}"})
            return there[-1]
        if method == "DELETE":
            self.there[kind] = [one for one in there if one[_KINDS[kind]] != place[2]]
            return {}
        found = self._filtered(there, urllib.parse.parse_qs(url.query))
        return {"recurringRuns" if kind == "recurringruns" else kind: found}

    @staticmethod
    def _filtered(there: list[dict[str, Any]], query: dict[str, list[str]]) -> list[Any]:
        if "filter" not in query:
            return there
        [predicate] = json.loads(query["filter"][0])["predicates"]
        return [one for one in there if one["display_name"] == predicate["stringValue"]]


@contextmanager
def serving() -> Iterator[Host]:
    """Serves a host on a free port of this machine."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            host.tokens.add(self.headers.get("authorization"))
            refused = host.refuses and self.command != "GET"
            answer = None if refused else host.answer(self.command, self.path, body)
            self.send_response(403 if refused else 404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer or {}).encode())

        do_GET = do_POST = do_DELETE = _handle

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
