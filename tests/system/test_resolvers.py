"""Real resolvers with the zones that Mailreeve serves, set up by the text of the guide.

    dig, that is dnspython -> resolver -> a name server that knows every name
                              resolver <- Mailreeve: the zone

What a resolver answers is held against what Mailreeve itself decides of the name. Nothing waits for a time to pass: a
test asks again until the answer is there, or has not come for too long.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

pytestmark = pytest.mark.requires("dig")

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "dns.md"
MAILREEVE = "mailreeve"
PATIENCE = 30.0  # seconds until what has not happened is not going to
SOON = 5.0  # for a change: a second, and room for a busy machine; without NOTIFY it would be a minute
THERE = "198.51.100.7"

ENTRIES = {
    "block": ["bad.test", "ads.shop.test", "deep.er.allowed.test", "_odd.test", "xn--mnchen-3ya.test"],
    "allow": ["good.bad.test", "allowed.test"],
    "block as url": ["host.test", "path.test/only"],
}
NAMES = [
    "bad.test", "www.bad.test", "a.b.c.bad.test", "good.bad.test", "x.good.bad.test", "notbad.test", "shop.test",
    "ads.shop.test", "x.ads.shop.test", "er.allowed.test", "deep.er.allowed.test", "x.er.allowed.test", "other.test",
    "host.test", "www.host.test", "path.test", "_odd.test", "x._odd.test", "xn--mnchen-3ya.test", "BAD.test",
    "all.over.test", "x.all.over.test", "fine.all.over.test", "y.x.test",
]  # fmt: skip


class NameServer:
    """Knows every name there is, at one address."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            try:
                wire, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            asked = dns.message.from_wire(wire)
            answer = dns.message.make_response(asked)
            answer.flags |= dns.flags.AA
            question = asked.question[0]
            if question.rdtype == dns.rdatatype.A and question.name.to_text().lower() != "test.":
                answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "A", THERE))
            else:
                soa = "ns.test. x.test. 1 60 60 60 1"
                answer.authority.append(dns.rrset.from_text("test.", 1, "IN", "SOA", soa))
            self._socket.sendto(answer.to_wire(), peer)

    def close(self) -> None:
        self._socket.close()


@dataclass
class Resolver:
    """A resolver under test, listening on `port`."""

    name: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def says(self, name: str) -> str:
        """What comes of a name, in the words of our own verdicts; a resolver that is still starting says nothing."""
        asked = dns.message.make_query(name, "A", use_edns=0)
        asked.flags |= dns.flags.RD
        try:
            answer = dns.query.udp(asked, "127.0.0.1", 2.0, self.port)
        except (dns.exception.Timeout, OSError):
            return "silence"
        if answer.rcode() == dns.rcode.NXDOMAIN:
            return "block"
        if answer.rcode() == dns.rcode.NOERROR and answer.answer:
            return "pass" if answer.answer[-1][0].to_text() == THERE else answer.answer[-1][0].to_text()
        return dns.rcode.to_text(answer.rcode())

    def says_soon(self, name: str, verdict: str, within: float = SOON) -> float:
        """Ask until it says that; how long that took."""
        started = time.monotonic()
        while (found := self.says(name)) != verdict:
            if time.monotonic() - started > within:
                pytest.fail(f"{self.name} says {found} of {name}, not {verdict}\n{self.log()}")
        return time.monotonic() - started

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")[-4000:]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def block(language: str) -> str:
    """The block of the guide that is in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return found


@dataclass
class Zones:
    """A server with zones, the resolvers that it tells of changes, and the name server behind them."""

    server: Any
    dns: int
    upstream: NameServer
    ports: dict[str, int]
    key: dict[str, str]
    code: str
    folder: Path

    def here(self, text: str, *replaced: tuple[str, str]) -> str:
        """A text of the guide as it is to be here."""
        pairs = (("CODE", self.code), ("8053", str(self.dns)), ("SECRET", self.key["secret"]), *replaced)
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    def start(self) -> None:
        self.server.start("--dns", f"127.0.0.1:{self.dns}")

    def verdict(self, name: str) -> str:
        with self.server.client() as client:
            (told,) = client.call("ext/explain-web", {"url": f"http://{name}/"})
        return "block" if told["verdict"] == "block" else "pass"


@pytest.fixture(scope="module")
def zones(short_folder: Path, new_server: Callable[[Path], Any], ports: Callable[[], int]) -> Iterator[Zones]:
    server = new_server(short_folder / "zones" / "data")
    notified = {name: ports() for name in ("unbound", "bind")}
    notify = ", ".join(f'"127.0.0.1:{port}"' for port in notified.values())
    with (server.folder / "mailreeve.toml").open("a") as settings:
        settings.write(f'dns_keyless = ["127.0.0.1"]\ndns_notify = [{notify}]\n')
    command = [MAILREEVE, "web", "zone", "key", "new", "resolver-1", "--json", "--data", server.folder]
    key = json.loads(mailreeve(*command[1:]))
    upstream = NameServer()
    made = Zones(
        server,
        ports(),
        upstream,
        notified,
        key,
        server.credentials["account_code"].lower(),
        short_folder / "zones",
    )
    made.start()
    with server.client() as client:
        urls = [
            {"action": words.split()[0], "type": "url" if "url" in words else "domain", "value": value}
            for words, values in ENTRIES.items()
            for value in values
        ]
        create(client, "names", urls)
        create(client, "over", [{"action": "block", "type": "domain", "value": "all.over.test"}], override=True)
        create(client, "under", [{"action": "allow", "type": "domain", "value": "fine.all.over.test"}])
        pat = {"type": "individual_email_address", "emailAddress": "pat@corp.test"}
        create(client, "pat", [{"action": "block", "type": "domain", "value": "y.x.test"}], **{"from": pat})
    yield made
    server.stop()
    upstream.close()


def mailreeve(*arguments: object) -> str:
    import sys

    program = Path(sys.executable).with_name("mailreeve")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def create(client: Any, description: str, urls: list[dict[str, str]], **scope: object) -> str:
    target = {"description": description, "from": {"type": "everyone"}, **scope}
    item = {"description": description, "policies": [target], "urls": urls}
    (made,) = client.call("policy/webwhiteurl/create-policy-with-targets", item)
    return made["id"]


def launched(zones: Zones, name: str, folder: Path, port: int, *command: object) -> Resolver:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*map(str, command)], stdout=log, stderr=log, cwd=folder)
    return Resolver(name, port, folder, process)


def unbound(zones: Zones, requires: Callable[[str], Path], ports: Callable[[], int]) -> Resolver:
    program, folder, port = requires("unbound"), made(zones, "unbound"), zones.ports["unbound"]
    own = f"""server:
    interface: 127.0.0.1
    port: {port}
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: "{folder}/pid"
    use-syslog: no
    verbosity: 1
    do-not-query-localhost: no
    do-ip6: no
    local-zone: "test." nodefault
    cache-max-ttl: 0
stub-zone:
    name: "test"
    stub-addr: 127.0.0.1@{zones.upstream.port}
"""
    text = zones.here(block("unbound"), ("/var/lib/unbound", str(folder)))
    (folder / "unbound.conf").write_text(own + text)
    return launched(zones, "unbound", folder, port, program, "-d", "-c", folder / "unbound.conf")


def bind(zones: Zones, requires: Callable[[str], Path], ports: Callable[[], int]) -> Resolver:
    program, folder, port = requires("named"), made(zones, "bind"), zones.ports["bind"]
    own = f"""
    directory "{folder}";
    pid-file "{folder}/pid";
    session-keyfile "{folder}/session.key";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    dnssec-validation no;
    recursion yes;
    max-cache-ttl 0;
"""
    others = f"""
controls {{ }};
zone "test" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {zones.upstream.port}; }}; }};
"""
    key = mailreeve("web", "zone", "key", "show", "resolver-1", "--data", zones.server.folder)
    text = zones.here(block("named"), ("/var/cache/bind", str(folder)))
    (folder / "named.conf").write_text(key + text.replace("options {", "options {" + own, 1) + others)
    return launched(zones, "bind", folder, port, program, "-g", "-c", folder / "named.conf")


def powerdns(zones: Zones, requires: Callable[[str], Path], ports: Callable[[], int]) -> Resolver:
    program, folder, port = requires("pdns_recursor"), made(zones, "powerdns"), ports()
    text = zones.here(block("lua"), ("/var/lib/powerdns", str(folder)))
    (folder / "zones.lua").write_text(text)
    (folder / "recursor.conf").write_text(
        f"""local-address=127.0.0.1:{port}
socket-dir={folder}
daemon=no
write-pid=no
dnssec=off
threads=1
max-cache-ttl=15
forward-zones=test=127.0.0.1:{zones.upstream.port}
dont-query=
lua-config-file={folder}/zones.lua
"""
    )
    return launched(zones, "powerdns", folder, port, program, f"--config-dir={folder}")


def made(zones: Zones, name: str) -> Path:
    folder = zones.folder / name
    folder.mkdir()
    return folder


STARTS = {"unbound": unbound, "bind": bind, "powerdns": powerdns}


@pytest.fixture(scope="module", params=STARTS)
def resolver(
    request: pytest.FixtureRequest, zones: Zones, requires: Callable[[str], Path], ports: Callable[[], int]
) -> Iterator[Resolver]:
    found = STARTS[request.param](zones, requires, ports)
    try:
        found.says_soon("bad.test", "block", PATIENCE)
        yield found
    finally:
        found.close()
        shutil.rmtree(found.folder)


def test_a_resolver_says_what_is_decided(zones: Zones, resolver: Resolver) -> None:
    said = {name: resolver.says(name) for name in NAMES}
    assert said == {name: zones.verdict(name) for name in NAMES}
    assert set(said.values()) == {"block", "pass"}


def test_a_change_is_there_at_once(zones: Zones, resolver: Resolver) -> None:
    """One call, and its opposite, each found by the difference."""
    with zones.server.client() as client:
        id_ = create(client, "news", [{"action": "block", "type": "domain", "value": "news.test"}])
        took = resolver.says_soon("www.news.test", "block")
        client.call("policy/webwhiteurl/delete-policy-with-targets", {"id": id_})
        back = resolver.says_soon("www.news.test", "pass")
    print(f"{resolver.name}: there after {took:.2f} s, gone after {back:.2f} s")
    assert "kind=difference" in zones.server.log()


def test_a_resolver_goes_on_without_the_server(zones: Zones, resolver: Resolver) -> None:
    """And hears of what is changed once there is one again."""
    zones.server.kill()
    assert (resolver.says("bad.test"), resolver.says("other.test")) == ("block", "pass")
    zones.start()
    with zones.server.client() as client:
        id_ = create(
            client, "late", [{"action": "block", "type": "domain", "value": f"{resolver.name}.late.test"}]
        )
        resolver.says_soon(f"{resolver.name}.late.test", "block", PATIENCE)
        client.call("policy/webwhiteurl/delete-policy-with-targets", {"id": id_})
