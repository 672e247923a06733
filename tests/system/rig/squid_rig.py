"""A real Squid beside a real server, as the guide has it, and a site behind it.

Squid refuses to run as root and then changes to a user who may not be able to reach this checkout. In a user
namespace it runs as somebody who is no root there and owns the files outside.
"""

from __future__ import annotations

import http.client
import http.server
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "squid.md"
FENCE = re.compile(r"^```(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PATIENCE = 30
AS_SOMEBODY = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def block(info: str) -> str:
    """The lines of the guide in the block that is marked so."""
    return next(text for name, text in FENCE.findall(GUIDE.read_text("utf-8")) if name == info)


def until(done: Callable[[], object], what: str, patience: float = PATIENCE) -> object:
    """What `done` says once that is something."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = done()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come about")


class Site:
    """A web site that answers anything, under any name, in clear and by TLS."""

    def __init__(self, certificate: Path | None = None) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = b"the page"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Seen(NamedTuple):
    """What a browser got: the status, where it is sent, and the body."""

    status: int
    location: str
    body: bytes


@dataclass
class Squid:
    """A Squid with the guide's lines. `names` are hosts that lead here."""

    folder: Path
    port: int
    page_port: int
    helper: str
    names: tuple[str, ...]
    more: str = ""
    process: subprocess.Popen[bytes] | None = None

    def configure(self, fail_closed: bool = False) -> None:
        """Write the configuration."""
        lines = block("squid")
        lines = re.sub(r"/opt/mailreeve/bin/mailreeve.*", self.helper, lines)
        lines = lines.replace("mailreeve.example.com", "127.0.0.1").replace(":8025", f":{self.page_port}")
        lines = lines.replace("dstdomain 127.0.0.1", "dst 127.0.0.1/32 ")
        # The site is at 127.0.0.1 as well: what tells the page from it is the port.
        lines = lines.replace("http_access allow mailreeve_page", "http_access allow mailreeve_page page_port")
        if fail_closed:
            lines = lines.replace(self.helper, f"{self.helper} --fail-closed")
        (self.folder / "hosts").write_text(f"127.0.0.1 {' '.join(self.names)}\n")
        text = f"""
http_port 127.0.0.1:{self.port}
pid_filename {self.folder}/squid.pid
cache_log {self.folder}/cache.log
access_log stdio:{self.folder}/access.log
coredump_dir {self.folder}
cache deny all
cache_mem 8 MB
shutdown_lifetime 0 seconds
pinger_enable off
hosts_file {self.folder}/hosts
dns_nameservers 127.0.0.1
acl page_port port {self.page_port}
{lines}
http_access allow all
"""
        if self.more:
            text = text.replace(f"http_port 127.0.0.1:{self.port}\n", "").replace(
                "http_access deny !mailreeve\n", self.more
            )
        self.file.write_text(text)

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.folder / "squid.conf"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        command = [*AS_SOMEBODY, shutil.which("squid") or "/usr/sbin/squid", "-N", "-f", str(self.file)]
        with (self.folder / "squid.out").open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        until(self._listens, "Squid")

    def _listens(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            said = [self.folder / name for name in ("squid.out", "cache.log")]
            raise AssertionError("".join(file.read_text() for file in said if file.exists()))
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        """End it with its helpers."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def log(self) -> str:
        """What Squid and its helpers say."""
        return (self.folder / "cache.log").read_text("utf-8", "replace")

    def helpers(self) -> list[int]:
        """The processes of our helper below this Squid."""
        if self.process is None:
            return []
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                line = (stat.parent / "cmdline").read_bytes()
                if int(fields[1]) == self.process.pid and b"squid-helper" in line:
                    found.append(int(stat.parent.name))
        return found

    def get(self, url: str, headers: dict[str, str] | None = None, source: str = "127.0.0.1") -> Seen:
        """Ask for a page through the proxy."""
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(source, 0))
        ) as browser:
            browser.request("GET", url, headers=headers or {})
            answer = browser.getresponse()
            return Seen(answer.status, answer.headers.get("Location", ""), answer.read())

    def connect(self, host: str, port: int) -> int:
        """The status of a tunnel."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as browser:
            browser.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            return int(browser.recv(4096).split()[1])

    def get_inside(self, url: str, ca: Path) -> Seen:
        """Ask for a page by HTTPS through a tunnel, trusting this authority alone."""
        host, _, path = url.removeprefix("https://").partition("/")
        name, _, port = host.partition(":")
        context = ssl.create_default_context(cafile=str(ca))
        with closing(http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)) as browser:
            browser.set_tunnel(name, int(port))
            browser.request("GET", f"/{path}")
            answer = browser.getresponse()
            return Seen(answer.status, answer.headers.get("Location", ""), answer.read())
