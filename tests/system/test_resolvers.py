"""Real resolvers with the zones that Mailreeve serves, set up by the text of the guide.

    dig, that is dnspython -> resolver -> a name server that knows every name
                              resolver <- Mailreeve: the zone

What a resolver answers is held against what Mailreeve itself decides of the name. Nothing waits for a time to
pass: a test asks again until the answer is there, or has not come for too long.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

pytestmark = pytest.mark.requires("dig")

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "dns.md"
MAILREEVE = Path(sys.executable).with_name("mailreeve")
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
    "ads.shop.test", "x.ads.shop.test", "er.allowed.test", "deep.er.allowed.test", "x.er.allowed.test",
    "other.test", "host.test", "www.host.test", "path.test", "_odd.test", "x._odd.test", "xn--mnchen-3ya.test",
    "BAD.test", "all.over.test", "x.all.over.test", "fine.all.over.test", "y.x.test",
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
        """What comes of a name, in the words of our own verdicts. A resolver that still starts says nothing."""
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
            if time.monotonic() - started > within or self.process.poll() is not None:
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

    def verdicts(self, names: Sequence[str]) -> dict[str, str]:
        """What Mailreeve itself decides."""
        with self.server.client() as client:
            told = client.call("ext/explain-web", *({"url": f"http://{name}/"} for name in names))
        return {
            name: "block" if one["verdict"] == "block" else "pass" for name, one in zip(names, told, strict=True)
        }


@pytest.fixture(scope="module")
def zones(short_folder: Path, new_server: Callable[[Path], Any], ports: Callable[[], int]) -> Iterator[Zones]:
    server = new_server(short_folder / "zones" / "data")
    notified = {name: ports() for name in ("unbound", "bind")}
    notify = ", ".join(f'"127.0.0.1:{port}"' for port in notified.values())
    with (server.folder / "mailreeve.toml").open("a") as settings:
        settings.write(f'dns_keyless = ["127.0.0.1"]\ndns_notify = [{notify}]\n')
    key = json.loads(mailreeve("web", "zone", "key", "new", "resolver-1", "--json", "--data", server.folder))
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
    done = subprocess.run(
        [MAILREEVE, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
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
        block("ini")
        + f"""local-address=127.0.0.1:{port}
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


def knot(zones: Zones, requires: Callable[[str], Path], ports: Callable[[], int]) -> Resolver:
    program, folder, port = requires("kresd"), made(zones, "knot"), ports()
    file = folder / "everyone.rpz"
    mailreeve("web", "zone", "export", "-o", file, "--data", zones.server.folder)
    text = block("lua-knot").replace("/var/lib/knot-resolver", str(folder))
    (folder / "kresd.conf").write_text(
        f"""net.listen('127.0.0.1', {port})
trust_anchors.remove('.')
cache.size = 10 * MB
{text}
policy.add(policy.suffix(policy.STUB({{'127.0.0.1@{zones.upstream.port}'}}), {{todname('test')}}))
"""
    )
    return launched(zones, "knot", folder, port, program, "-n", "-c", "kresd.conf", folder)


STARTS = {"unbound": unbound, "bind": bind, "powerdns": powerdns, "knot": knot}


class Started:
    """The resolvers that a test has asked for, each started once."""

    def __init__(self, zones: Zones, requires: Callable[[str], Path], ports: Callable[[], int]) -> None:
        self._given = zones, requires, ports
        self.all: dict[str, Resolver] = {}

    def __call__(self, name: str) -> Resolver:
        if name not in self.all:
            self.all[name] = STARTS[name](*self._given)
            self.all[name].says_soon("bad.test", "block", PATIENCE)
        return self.all[name]


@pytest.fixture(scope="module")
def started(zones: Zones, requires: Callable[[str], Path], ports: Callable[[], int]) -> Iterator[Started]:
    found = Started(zones, requires, ports)
    yield found
    for one in found.all.values():
        one.close()


@pytest.mark.parametrize("name", STARTS)
def test_a_resolver_says_what_is_decided(zones: Zones, started: Started, name: str) -> None:
    """Knot does not forward what the zone lets through, and nobody answers it here: that is not asked."""
    resolver = started(name)
    asked = [one for one in NAMES if name != "knot" or not one.endswith(tuple(ENTRIES["allow"]))]
    said = {one: resolver.says(one) for one in asked}
    assert said == zones.verdicts(asked)
    assert set(said.values()) == {"block", "pass"}


@pytest.mark.parametrize("name", ["unbound", "bind", "powerdns"])
def test_a_change_is_there_at_once(zones: Zones, started: Started, name: str) -> None:
    """One call, and its opposite, each found by the difference."""
    resolver = started(name)
    with zones.server.client() as client:
        id_ = create(client, "news", [{"action": "block", "type": "domain", "value": f"{name}-news.test"}])
        took = resolver.says_soon(f"www.{name}-news.test", "block")
        client.call("policy/webwhiteurl/delete-policy-with-targets", {"id": id_})
        back = resolver.says_soon(f"www.{name}-news.test", "pass")
    print(f"{resolver.name}: there after {took:.2f} s, gone after {back:.2f} s")
    assert "kind=difference" in zones.server.log()


@pytest.mark.parametrize(("name", "text"), [("powerdns", "blocked by a web list"), ("knot", "CR36")])
def test_a_resolver_that_can_says_why(zones: Zones, started: Started, name: str, text: str) -> None:
    resolver = started(name)
    asked = dns.message.make_query("www.bad.test", "A", use_edns=0)
    (error,) = dns.query.udp(asked, "127.0.0.1", 5.0, resolver.port).extended_errors()
    assert (error.code, error.text) == (dns.edns.EDECode.BLOCKED, text)


def test_a_file_that_is_written_again_is_read_again(zones: Zones, started: Started) -> None:
    resolver = started("knot")
    with zones.server.client() as client:
        id_ = create(client, "file", [{"action": "block", "type": "domain", "value": "file.test"}])
        mailreeve("web", "zone", "export", "-o", resolver.folder / "everyone.rpz", "--data", zones.server.folder)
        resolver.says_soon("www.file.test", "block")
        client.call("policy/webwhiteurl/delete-policy-with-targets", {"id": id_})


def test_the_zone_is_nobodys_without_the_right_key(zones: Zones, requires: Callable[[str], Path]) -> None:
    """Where a key is given it has to be the right one, also from where none is needed."""
    asked = [requires("dig"), "@127.0.0.1", "-p", str(zones.dns), f"everyone.{zones.code}.rpz.mailreeve", "AXFR"]

    def dig(*more: str) -> str:
        return subprocess.run([*asked, *more], capture_output=True, text=True, check=False, timeout=30).stdout

    name, secret = zones.key["name"], zones.key["secret"]
    assert f"bad.test.everyone.{zones.code}.rpz.mailreeve." in dig("-y", f"hmac-sha256:{name}:{secret}")
    for wrong in (f"hmac-sha256:{name}:AAAA{secret[4:]}", f"hmac-sha256:other.{name}:{secret}"):
        said = dig("-y", wrong)
        assert "Transfer failed" in said
        assert "bad.test" not in said


def test_resolvers_go_on_without_the_server(zones: Zones, started: Started) -> None:
    """And hear of what is changed once there is one again."""
    if not started.all:
        pytest.skip("no resolver was started")
    zones.server.kill()
    said = {name: (one.says("bad.test"), one.says("other.test")) for name, one in started.all.items()}
    zones.start()
    assert said == dict.fromkeys(started.all, ("block", "pass"))
    with zones.server.client() as client:
        create(client, "late", [{"action": "block", "type": "domain", "value": "late.test"}])
    for name in started.all.keys() - {"knot"}:
        started(name).says_soon("late.test", "block", PATIENCE)
