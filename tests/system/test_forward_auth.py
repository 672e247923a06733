"""Real proxies, configured as the guide has it: nginx, Traefik, Caddy and Envoy ask, and do as they are told."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from mailreeve.client import Client, Credentials

MAILREEVE = Path(sys.executable).with_name("mailreeve")
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "forward-auth.md"
PATIENCE = 60  # seconds on a busy machine
CREATE = "policy/webwhiteurl/create-policy-with-targets"

NGINX = """daemon off; worker_processes 1; error_log {folder}/error.log; pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{block}
}}
"""
TRAEFIK = """entryPoints: {{web: {{address: "127.0.0.1:{port}"}}}}
providers: {{file: {{filename: "{folder}/dynamic.yaml"}}}}
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
"""


class _App(BaseHTTPRequestHandler):
    """The application behind the proxies: says which headers it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def app() -> Iterator[int]:
    """The port of an application."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _App)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


class Server(NamedTuple):
    """A Mailreeve: a client of its API, and the port."""

    api: Client
    port: int


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a list for everyone that names paths, and one that blocks a domain."""
    data = tmp_path_factory.mktemp("mailreeve") / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILREEVE_")}
    init = [MAILREEVE, "init", "--data", data, "--domain", "corp.test", "--json"]
    said = subprocess.run(init, capture_output=True, text=True, check=True, env=environment)
    keys = json.loads(said.stdout)
    command = [MAILREEVE, "serve", "--data", data, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        late = threading.Timer(PATIENCE, process.kill)
        late.start()
        lines = dict(line.strip().partition(" ")[::2] for line in iter(process.stdout.readline, "ready\n"))
        late.cancel()
        names = ("app_id", "app_key", "access_key", "secret_key")
        try:
            with Client(lines["http"], Credentials(*(keys[name] for name in names))) as api:
                found = Server(api, int(lines["http"].rpartition(":")[2]))
                block(found, "bad.test")
                urls = [
                    {"action": "block", "type": "url", "value": "shop.test/private"},
                    {"action": "allow", "type": "url", "value": "bad.test/open"},
                ]
                api.call(CREATE, {"description": "Paths", "policies": [everyone()], "urls": urls})
                yield found
        finally:
            process.terminate()


def everyone() -> dict[str, object]:
    return {"description": "Everyone", "from": {"type": "everyone"}}


def block(server: Server, domain: str) -> None:
    entry = {"action": "block", "type": "domain", "value": domain}
    server.api.call(CREATE, {"description": f"No {domain}", "policies": [everyone()], "urls": [entry]})


def guide_block(heading: str, kind: str) -> str:
    section = GUIDE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.search(rf"^```{kind}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[1]


class Proxy:
    """A running proxy. `ask` gives the status and the body of a request through it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, host: str, path: str = "/", headers: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.putrequest("GET", path, skip_host=True)
        for name, value in {"Host": host, **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def commands(kind: str, folder: Path, port: int, config: str, program: Path) -> list[str | Path]:
    """How a proxy is started with a configuration of the guide."""
    if kind == "nginx":
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, block=config))
        return [program, "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"]
    if kind == "traefik":
        (folder / "dynamic.yaml").write_text(config)
        (folder / "traefik.yaml").write_text(TRAEFIK.format(folder=folder, port=port))
        return [program, f"--configFile={folder}/traefik.yaml"]
    if kind == "caddy":
        (folder / "Caddyfile").write_text("{\n admin off\n}\n" + config)
        return [program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
    (folder / "envoy.yaml").write_text(config)
    return [program, "-c", folder / "envoy.yaml", "--concurrency", "1", "--base-id", str(port), "-l", "warning"]


SECTIONS = {
    "nginx": ("nginx", "nginx"),
    "traefik": ("Traefik", "yaml"),
    "caddy": ("Caddy", "caddyfile"),
    "envoy": ("Envoy", "yaml"),
}


@pytest.fixture(scope="module", params=SECTIONS)
def proxy(
    request: pytest.FixtureRequest,
    requires: Callable[[str], Path],
    server: Server,
    app: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    kind = request.param
    (made,) = server.api.call("ext/create-web-proxy", {"name": kind, "kind": kind})
    folder = tmp_path_factory.mktemp(kind)
    with started(kind, requires, folder, {"8025": server.port, "9000": app, "TOKEN": made["token"]}) as found:
        _until(lambda: found.ask("ready.test"), lambda answer: answer[0] == 200, folder)
        yield found


@contextmanager
def started(
    kind: str, requires: Callable[[str], Path], folder: Path, written: dict[str, object]
) -> Iterator[Proxy]:
    """A proxy with the configuration of the guide, in which what is `written` stands for what the guide has."""
    beside = Path(sys.executable).with_name(kind)
    program = beside if beside.exists() else requires(kind)
    port = free_port()
    folder.chmod(0o755)
    config = guide_block(*SECTIONS[kind])
    for old, new in {**written, "8080": port}.items():
        config = re.sub(rf"\b{old}\b", str(new), config)
    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            commands(kind, folder, port, config, program), stdout=log, stderr=log, env={**os.environ, **homes}
        ) as process,
    ):
        try:
            yield Proxy(port)
        finally:
            process.terminate()


def _until(
    ask: Callable[[], tuple[int, str]], is_so: Callable[[tuple[int, str]], bool], folder: Path
) -> tuple[int, str]:
    """The first answer that is so: a proxy may accept before it has read its routes."""
    end = time.monotonic() + PATIENCE
    pause = threading.Event()
    last: object = None
    while time.monotonic() < end:
        try:
            answer = ask()
            if is_so(answer):
                return answer
            last = answer
        except OSError as problem:
            last = problem
        pause.wait(0.05)
    log = "".join(path.read_text(errors="replace")[-2000:] for path in folder.glob("*log"))
    pytest.fail(f"the proxy does not answer as it should: {last}\n{log}")


def test_what_is_blocked_is_refused_with_its_reason_and_all_else_passes(proxy, server):
    status, body = proxy.ask("fine.test:8080", "/x?y=%7e")
    assert status == 200
    seen = json.loads(body)
    assert seen["path"] in ("/x?y=%7e", "/x?y=~")
    assert not seen.get("x-mailreeve-token")
    status, body = proxy.ask("www.bad.test", "/")
    assert status == 403
    assert 'Blocked by the web list "No bad.test"' in body
    assert proxy.ask("bad.test", "/open/1")[0] == 200
    assert proxy.ask("bad.test", "/open")[0] == 200
    assert proxy.ask("bad.test", "/opened")[0] == 403


@pytest.mark.parametrize("path", ["/private", "/private/x?y", "/%70rivate", "/a/../private", "/./private"])
def test_a_path_in_disguise_is_refused(proxy, path):
    assert proxy.ask("shop.test", path)[0] == 403


def test_a_change_holds_for_the_very_next_request(proxy, server, request):
    domain = f"{request.node.callspec.params['proxy']}.news.test"
    assert proxy.ask(domain)[0] == 200
    block(server, domain)
    assert proxy.ask(domain)[0] == 403


FORGED = {
    "X-Original-URL": "http://fine.test/",
    "X-Original-URI": "/",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "fine.test",
    "X-Forwarded-Uri": "/",
    "X-Forwarded-Method": "GET",
    "X-Forwarded-For": "10.0.0.1",
    "X-Envoy-Original-Path": "/",
    "Forwarded": "host=fine.test",
}


@pytest.mark.parametrize("name", [*FORGED, "all"])
def test_what_a_browser_says_of_itself_opens_nothing(proxy, name):
    forged = FORGED if name == "all" else {name: FORGED[name]}
    assert proxy.ask("bad.test", "/", forged)[0] in (403, 400)
    assert proxy.ask("shop.test", "/private", forged)[0] in (403, 400)


HOSTS = ("fine.test#", "fine.test?", "x@bad.test", "fine.test#bad.test", "BAD.test.", "b%61d.test")


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_in_disguise_opens_nothing(proxy, host):
    assert proxy.ask(host, "/")[0] != 200


def test_a_token_of_the_browser_opens_nothing_and_closes_nothing(proxy):
    wrong = {"X-Mailreeve-Token": "mailreeve-web-wrong"}
    assert proxy.ask("bad.test", "/", wrong)[0] != 200


@pytest.mark.parametrize(("kind", "status"), [("nginx", 500), ("traefik", 500), ("caddy", 502), ("envoy", 403)])
def test_nothing_passes_where_nobody_answers(kind, status, requires, app, tmp_path):
    """As the guide says of each."""
    with started(kind, requires, tmp_path, {"8025": free_port(), "9000": app}) as found:
        # Traefik says 404 until it has read its routes.
        answer = _until(lambda: found.ask("fine.test"), lambda answer: answer[0] != 404, tmp_path)
    assert answer[0] == status


def test_a_proxy_whose_token_was_taken_away_lets_nothing_through(proxy, server, request):
    """The last of each proxy."""
    kind = request.node.callspec.params["proxy"]
    (row,) = (one for one in server.api.call("ext/get-web-proxies", {}) if one["name"] == kind)
    server.api.call("ext/delete-web-proxy", {"id": row["id"]})
    assert proxy.ask("fine.test")[0] == 401
