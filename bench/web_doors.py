"""How many requests a second pass through Squid: alone, with a trivial helper in Python, and with ours.

    .venv/bin/python bench/web_doors.py                     # 1,000 and 25,000 entries
    .venv/bin/python bench/web_doors.py --entries 1000000   # takes its time to load
    .venv/bin/python bench/web_doors.py --without-squid     # decisions through the helper's pipe alone

Squid is asked for pages over connections that are kept open. It answers from its cache, so that no site is
measured. Figures of one run are compared with each other; the machine's load is in all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

MAILREEVE = Path(sys.executable).with_name("mailreeve")
AS_SOMEBODY = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
TRIVIAL = """
import os
left = b""
while True:
    data = os.read(0, 65536)
    if not data:
        break
    *lines, left = (left + data).split(b"\\n")
    os.write(1, b"".join(line.partition(b" ")[0] + b" OK\\n" for line in lines if line))
"""
CREATE = "policy/webwhiteurl/create-policy-with-targets"
IN_ONE_LIST = 5_000


def free_port() -> int:
    """A port that nobody listens on now."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


class Site(http.server.BaseHTTPRequestHandler):
    """Answers anything with a page that may be cached."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"x" * 200
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=3600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Sites(http.server.ThreadingHTTPServer):
    """The site, which takes all the connections that are made before Squid has its pages."""

    request_queue_size = 128


@contextlib.contextmanager
def server(folder: Path, entries: int) -> Iterator[str]:
    """A server with so many entries; where helpers ask."""
    data, where = folder / f"data{entries}", f"unix:{folder}/web{entries}.sock"
    run = subprocess.run
    run([MAILREEVE, "init", "--data", data, "--domain", "corp.test", "--json"], check=True, capture_output=True)
    (data / "mailreeve.toml").write_text("web_urls_per_account = 2000000\nweb_urls_per_policy = 2000000\n")
    steps = []
    for start in range(0, entries, IN_ONE_LIST):
        names = range(start, min(start + IN_ONE_LIST, entries))
        urls = [{"action": "block", "type": "domain", "value": f"blocked{n}.test"} for n in names]
        target = {"description": "all", "from": {"type": "everyone"}, "to": {"type": "everyone"}}
        steps.append({"description": f"list {start}", "policies": [target], "urls": urls})
    from mailreeve.app.library import open_account
    from mailreeve.client import Client

    with open_account(data) as account, Client("http://folder.test", None, transport=account.api()) as api:
        for step in steps:
            api.call(CREATE, step)
    command = [MAILREEVE, "serve", "--data", data, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"]
    process = subprocess.Popen([*map(str, command), "--web-socket", where], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        while process.stdout.readline() != "ready\n":
            pass
        yield where
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextlib.contextmanager
def squid(folder: Path, helper: str) -> Iterator[int]:
    """A Squid with this helper, or none; its port."""
    folder.mkdir()
    port = free_port()
    asks = (
        "external_acl_type m ttl=0 negative_ttl=0 cache=0 concurrency=1000 children-max=1 children-startup=1 "
        f"%#>ru %>rm %#un %>a {helper}\nacl m external m\nhttp_access deny !m\n"
        if helper
        else ""
    )
    (folder / "hosts").write_text("127.0.0.1 site.test\n")
    (folder / "squid.conf").write_text(
        f"http_port 127.0.0.1:{port}\npid_filename {folder}/pid\ncache_log {folder}/cache.log\naccess_log none\n"
        f"coredump_dir {folder}\ncache_mem 16 MB\nshutdown_lifetime 0 seconds\npinger_enable off\n"
        f"hosts_file {folder}/hosts\ndns_nameservers 127.0.0.1\n{asks}http_access allow all\n"
    )
    program = shutil.which("squid") or "/usr/sbin/squid"
    command = [*AS_SOMEBODY, program, "-N", "-f", str(folder / "squid.conf")]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def load(port: int, site: int, seconds: float, connections: int) -> list[float]:
    """How long each request took."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def browse(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET http://site.test:{site}/{number % 4} HTTP/1.1\r\nHost: site.test:{site}\r\n\r\n".encode()
        while (start := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head[:16]:
                raise AssertionError(head)
            await reader.readexactly(200)
            took.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(browse(number) for number in range(connections)))
    return took


def through_squid(folder: Path, name: str, helper: str, site: int, seconds: float, connections: int) -> float:
    """Measure and print a line; the requests per second."""
    with squid(folder / name.replace(" ", "-"), helper) as port:
        asyncio.run(load(port, site, 0.5, connections))
        took = asyncio.run(load(port, site, seconds, connections))
    rate = len(took) / seconds
    p99 = statistics.quantiles(took, n=100)[98] * 1_000
    print(f"{name:<32}{rate:>10,.0f} requests/s{p99:>9.1f} ms p99")
    return rate


def through_pipe(command: list[str], seconds: float, at_once: int) -> float:
    """Decisions a second of a helper that is written to without Squid, so many under way."""
    helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert helper.stdin is not None
    assert helper.stdout is not None
    lines = b"".join(b"%d http://site%d.test/path/%d GET - 10.0.0.1 -\n" % (n, n, n) for n in range(at_once))
    done, end = 0, 0.0
    while not end or time.perf_counter() < end:
        helper.stdin.write(lines)
        helper.stdin.flush()
        for _ in range(at_once):
            helper.stdout.readline()
        done += at_once
        if not end:  # the first are its start
            done, end = 0, time.perf_counter() + seconds
    helper.stdin.close()
    helper.wait()
    return done / seconds


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, action="append", help="Entries of web lists; repeatable.")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--without-squid", action="store_true")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mr-bench-"))
    site = Sites(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    trivial = folder / "trivial.py"
    trivial.write_text(TRIVIAL)
    rates: dict[str, float] = {}
    try:
        if not asked.without_squid:
            for name, helper in (("squid alone", ""), ("a trivial helper", f"{sys.executable} {trivial}")):
                rates[name] = through_squid(
                    folder, name, helper, site.server_port, asked.seconds, asked.connections
                )
        else:
            for at_once in (1, 100):
                rate = through_pipe([sys.executable, str(trivial)], asked.seconds, at_once)
                print(f"{'a trivial helper':<32}{rate:>10,.0f} decisions/s, {at_once} under way")
        for entries in asked.entries or [1_000, 25_000]:
            with server(folder, entries) as where:
                name = f"ours with {entries} entries"
                if asked.without_squid:
                    for at_once in (1, 100):
                        command = [str(MAILREEVE), "squid-helper", "--socket", where]
                        rate = through_pipe(command, asked.seconds, at_once)
                        print(f"{name:<32}{rate:>10,.0f} decisions/s, {at_once} under way")
                else:
                    helper = f"{MAILREEVE} squid-helper --socket {where}"
                    rates[name] = through_squid(
                        folder, name, helper, site.server_port, asked.seconds, asked.connections
                    )
        if rates:
            print(json.dumps({name: round(rate / rates["a trivial helper"], 2) for name, rate in rates.items()}))
    finally:
        site.shutdown()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
