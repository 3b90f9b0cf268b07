from __future__ import annotations

import contextlib
import http.server
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.errors import ConfigError, UserError
from components.settings.notify import Notify
from pipeline import config as configuration
from pipeline.commands import run_config
from pipeline.commands.notify import notify
from tests.explains import refused

RESULT = {"verdict": "refused", "run_id": "monday", "metrics": {"accuracy": 0.5}, "error": None}


class Server(http.server.ThreadingHTTPServer):
    """Answers with the given status codes in turn, the last one for ever; keeps the requests."""

    def __init__(self, codes: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.codes = codes
        self.seen: list[tuple[str, str | None, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/a-secret-path"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers["Authorization"], body))
        codes = self.server.codes
        self.send_response(codes.pop(0) if len(codes) > 1 else codes[0])
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        """Is silent."""


@contextlib.contextmanager
def serving(*codes: int) -> Iterator[Server]:
    with Server(list(codes)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def command(code: str, **keys: Any) -> Notify:
    return Notify(command=[sys.executable, "-c", code], **keys)


def test_a_command_reads_the_result_on_its_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "told"
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    words = [sys.executable, "-c", code, str(file)]
    assert notify(Notify(command=words), RESULT) is None
    assert json.loads(file.read_text()) == RESULT


def test_no_shell_reads_a_commands_words(tmp_path: Path) -> None:
    file = tmp_path / "made"
    assert notify(Notify(command=["echo", f"$(touch {file}); touch {file}"]), RESULT) is None
    assert not file.exists()


def test_a_failed_command_is_a_note_with_its_last_line() -> None:
    note = notify(command("print(1); raise SystemExit('no such team')"), RESULT)
    assert note and "ended with 1: no such team" in note
    note = notify(Notify(command=["/no/such/program"]), RESULT)
    assert note and "/no/such/program can't be started" in note


def test_a_command_that_takes_too_long_is_ended_with_what_it_started() -> None:
    code = "import subprocess; subprocess.run(['sleep', '100'])"
    began = time.monotonic()
    note = notify(command(code), RESULT, seconds=1)
    assert note and "took over 1 s and was ended" in note
    assert time.monotonic() - began < 60


def test_only_the_named_verdicts_are_told(tmp_path: Path) -> None:
    failing = command("raise SystemExit(1)", on=["failed", "pushed"])
    assert notify(failing, RESULT) is None
    assert notify(None, RESULT) is None
    assert notify(failing, RESULT | {"verdict": "pushed"}) is not None
    assert notify(command("raise SystemExit(1)"), RESULT | {"verdict": "unchanged"}) is None
    assert notify(command("raise SystemExit(1)"), RESULT | {"verdict": None}) is None


def test_a_webhook_gets_a_post_with_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s3cret\n")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(200) as server:
        assert notify(Notify(webhook=server.url, secret_env="HOOK_SECRET"), RESULT) is None
    assert server.seen == [("/a-secret-path", "Bearer s3cret", RESULT)]


def test_a_secret_that_is_not_set_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    with serving(200) as server:
        note = notify(Notify(webhook=server.url, secret_env="HOOK_SECRET"), RESULT)
    assert note and "HOOK_SECRET is not set" in note and server.seen == []


def test_a_server_in_trouble_is_asked_again() -> None:
    with serving(503, 429, 204) as server:
        assert notify(Notify(webhook=server.url), RESULT, waits=(0, 0)) is None
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("code", "attempts", "told"),
    [(404, 1, "answered 404"), (302, 1, "redirects are not followed"), (500, 3, "answered 500")],
)
def test_what_a_server_refuses_is_a_note_without_the_secret_path(
    code: int, attempts: int, told: str
) -> None:
    with serving(code) as server:
        note = notify(Notify(webhook=server.url), RESULT, waits=(0, 0))
    assert note and told in note and "secret" not in note
    assert [path for path, *_ in server.seen] == ["/a-secret-path"] * attempts


def test_a_server_that_is_not_there_is_a_note() -> None:
    with serving(200) as server:
        url = server.url
    note = notify(Notify(webhook=url), RESULT, waits=(0,))
    assert note and "can't be reached" in note and "secret" not in note


@pytest.mark.parametrize(
    ("keys", "found", "allowed"),
    [
        ("{webhook: 'http://example.org/x'}", "webhook: found", "this machine only .*use https"),
        ("{webhook: 'ftp://example.org/x'}", "webhook: found", "https://HOST/PATH"),
        ("{webhook: 'https://me:pw@example.org/x'}", "no user and no password", "secret_env"),
        ("{webhook: 'https://example.org/x', command: [echo]}", "echo", "and not both"),
        ("{}", "{}", "one of command and webhook is needed"),
        ("{command: echo}", r"notify.command: found the text 'echo'", "list"),
        ("{command: [echo], secret_env: X}", "secret_env", "is for webhook"),
        ("{command: [echo], on: [sometimes]}", "sometimes", "'refused', 'failed' or 'pushed'"),
    ],
)
def test_wrong_settings_are_refused(keys: str, found: str, allowed: str) -> None:
    with refused(ConfigError, found=found, allowed=allowed, next="correct these keys") as told:
        built(keys)
    assert "example.org" not in str(told.value)  # an address may be a secret


def built(keys: str) -> configuration.Config:
    tree: dict[str, Any] = {"data": {"source": "pictures"}, "push": {"directory": "served"}}
    configuration.override(tree, f"runtime.notify={keys}")
    return configuration.build(tree)


def test_the_report_neither_shows_the_address_nor_is_made_anew_for_it() -> None:
    told = built("{webhook: 'https://example.org/secret', on: [failed]}")
    assert told.runtime.notify and told.runtime.notify.on == ["failed"]
    assert told.reported == built("null").reported
    assert "notify" not in told.reported["runtime"]


def test_a_failed_notification_changes_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_config, "_run_config", lambda *_, **__: dict(RESULT))
    found = run_config.run_config(built("{command: ['false']}"))
    assert found == RESULT | {"notes": ["runtime.notify told nobody: false ended with 1."]}
    said = capsys.readouterr()
    assert said.err == "Note: runtime.notify told nobody: false ended with 1.\n" and not said.out
    assert run_config.run_config(built("{command: ['true']}")) == RESULT


def test_a_run_that_can_not_start_is_told_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reason = "No pictures in a; two classes are needed. Add some."

    def refuse(*_: Any, **__: Any) -> Any:
        raise UserError(reason)

    monkeypatch.setattr(run_config, "_run_config", refuse)
    file = tmp_path / "told"
    with refused(UserError, found="No pictures", allowed="are needed", next="Add some"):
        run_config.run_config(built(f"{{command: [tee, {file}]}}"))
    told = json.loads(file.read_text())
    assert (told["verdict"], told["error"]) == ("failed", reason)
