"""A real Squid with the lines of its guide: what lists say by the API holds for the next request."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from squid_rig import Site, Squid, block, until

MAILREEVE = Path(sys.executable).with_name("mailreeve")
pytestmark = [pytest.mark.requires("squid", "unshare")]

NAMES = tuple(f"{name}.test" for name in ("plain", "other", "www.plain", "deep", "ours", "slow", "place", "tls"))
LONGEST = 2.0  # seconds that no request may hang for

CREATE = "policy/webwhiteurl/create-policy-with-targets"
UPDATE = "policy/webwhiteurl/update-policy-with-targets"
DELETE = "policy/webwhiteurl/delete-policy-with-targets"
EVERYONE = {"type": "everyone"}

AUTHENTICATION = """\
auth_param basic program /usr/lib/squid/basic_fake_auth
acl says_who req_header Proxy-Authorization .
acl known proxy_auth REQUIRED
http_access deny says_who !known
"""


def urls(*values: str, action: str = "block") -> list[dict[str, str]]:
    """Entries: those with a path or query are URLs."""
    return [
        {"action": action, "type": "url" if "/" in value or "?" in value else "domain", "value": value}
        for value in values
    ]


def target(from_: dict[str, object] = EVERYONE, **more: object) -> dict[str, object]:
    """For whom a list is."""
    return {"description": "test", "from": from_, "to": EVERYONE, **more}


def run(*command: object) -> None:
    """Run a program, which has to succeed."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def as_user(name: str) -> dict[str, str]:
    """What a browser sends that says who it is."""
    return {"Proxy-Authorization": "Basic " + base64.b64encode(f"{name}:x".encode()).decode()}


@dataclass
class Rig:
    """A server, a Squid that asks it, and a site."""

    server: object
    squid: Squid
    site: Site
    web_socket: str
    page_port: int

    def start_server(self) -> None:
        self.server.start("--http", f"127.0.0.1:{self.page_port}", "--web-socket", self.web_socket)

    def call(self, path: str, **item: object) -> dict:
        with self.server.client() as api:
            found = api.call(path, item)
        return found[0] if found else {}

    @contextmanager
    def listed(self, entries: list[dict[str, str]], *targets: dict[str, object]) -> Iterator[dict]:
        """A list, which is gone at the end."""
        made = self.call(CREATE, description="Test list", urls=entries, policies=list(targets) or [target()])
        try:
            yield made
        finally:
            self.call(DELETE, id=made["id"])

    def status(self, host: str, path: str = "/", **how: object) -> int:
        """What a browser gets from a page."""
        return self.squid.get(f"http://{host}:{self.site.port}{path}", **how).status

    def records(self, **item: object) -> list[dict]:
        with self.server.client() as api:
            return api.call("ext/find-web-records", item)


@pytest.fixture(scope="module")
def rig(short_folder: Path, new_server: Callable, ports: Callable[[], int]) -> Iterator[Rig]:
    folder = short_folder / "squid"
    folder.mkdir()
    server = new_server(folder / "serving" / "data")
    web_socket = f"unix:{folder}/web.sock"
    settings = f'web_proxy = true\nweb_allows_recorded = 1.0\nweb_socket = "{web_socket}"\n'
    (server.folder / "mailreeve.toml").write_text(settings)
    site = Site()
    page_port = ports()
    helper = f"{MAILREEVE} squid-helper --socket {web_socket}"
    squid = Squid(folder, ports(), page_port, helper, NAMES)
    squid.configure()
    text = squid.file.read_text()
    # The page has to be let through first, whoever asks; then who asks is found out.
    denial = "http_access deny !mailreeve"
    squid.file.write_text(text.replace(denial, AUTHENTICATION + denial))
    made = Rig(server, squid, site, web_socket, page_port)
    made.start_server()
    try:
        for name in ("ann", "bob"):
            made.call("user/create-user", emailAddress=f"{name}@corp.test")
        squid.start()
        until(lambda: made.status("plain.test") == 200, "a page")
        yield made
    finally:
        squid.stop()
        server.stop()
        site.close()


def test_a_domain_is_blocked_and_opened_again_for_the_very_next_request(rig: Rig) -> None:
    assert rig.status("www.plain.test") == 200
    with rig.listed(urls("plain.test")):
        assert rig.status("www.plain.test") == 302
        assert rig.squid.connect("plain.test", rig.site.port) == 302
        assert rig.status("other.test") == 200
    assert rig.status("www.plain.test") == 200
    assert rig.squid.connect("plain.test", rig.site.port) == 200


def test_the_browser_is_sent_to_a_page_that_says_why_and_takes_a_request(rig: Rig) -> None:
    with rig.listed(urls("plain.test")):
        address = f"http://plain.test:{rig.site.port}/%3Cb%3E?q=%22%3Cscript%3E"
        seen = rig.squid.get(address, as_user("ann@corp.test"))
        assert seen.status == 302
        page = rig.squid.get(seen.location)
        assert page.status == 403
        text = page.body.decode()
        decision_id = urlsplit(seen.location).query.removeprefix("id=")
        for words in ("Blocked", "Test list", "domain plain.test", "ann@corp.test", decision_id):
            assert words in text
        assert "<script" not in text
        with pytest.raises(Exception, match="403"):
            urlopen(seen.location, b"reason=for+my+work+%3Cb%3E")  # noqa: S310
        with rig.server.client() as api:
            (asked,) = api.call("ext/get-web-access-requests", {})
        assert (asked["user"], asked["reason"]) == ("ann@corp.test", "for my work <b>")
        assert (asked["policy"], asked["decisionId"]) == ("Test list", decision_id)
        rig.call("ext/close-web-access-request", id=asked["id"])


def test_users_and_groups_are_told_apart_by_login_and_by_address(rig: Rig) -> None:
    ann = {"type": "individual_email_address", "emailAddress": "ann@corp.test"}
    with rig.listed(urls("plain.test"), target(ann)):
        assert rig.status("plain.test") == 200
        assert rig.status("plain.test", headers=as_user("ann@corp.test")) == 302
        assert rig.status("plain.test", headers=as_user("CORP\\ann")) == 302
        assert rig.status("plain.test", headers=as_user("bob")) == 200
        rig.call("ext/set-web-clients", network="127.0.0.5", user="ann@corp.test")
        assert rig.status("plain.test", source="127.0.0.5") == 302
        # Somebody else at ann's desk is somebody else.
        assert rig.status("plain.test", source="127.0.0.5", headers=as_user("bob")) == 200
        assert rig.status("plain.test", source="127.0.0.5", headers=as_user("stranger")) == 200
        rig.call("ext/remove-web-clients", network="127.0.0.5")
        assert rig.status("plain.test", source="127.0.0.5") == 200
    group = rig.call("directory/create-group", description="Trainees")["id"]
    with rig.listed(urls("plain.test"), target({"type": "profile_group", "groupId": group})):
        assert rig.status("plain.test", headers=as_user("bob")) == 200
        rig.call("directory/add-group-member", id=group, emailAddress="bob@corp.test")
        assert rig.status("plain.test", headers=as_user("bob")) == 302


def test_a_list_that_is_bound_to_a_location_holds_there_alone(rig: Rig) -> None:
    rig.call("ext/create-web-location", name="Berlin", networks=["127.0.0.6"])
    with rig.listed(urls("place.test"), target(locations=[{"location": "Berlin"}])) as made:
        assert made["policies"][0]["locations"] == [{"ip": "127.0.0.6/32", "location": "Berlin"}]
        assert rig.status("place.test", source="127.0.0.6") == 302
        assert rig.status("place.test", source="127.0.0.7") == 200
        rig.call("ext/set-web-clients", network="127.0.0.7", location="berlin")
        assert rig.status("place.test", source="127.0.0.7") == 302
        rig.call("ext/remove-web-clients", network="127.0.0.7")
        (place,) = rig_locations(rig)
        rig.call("ext/update-web-location", id=place["id"], networks=["127.0.0.8"])
        assert rig.status("place.test", source="127.0.0.6") == 200
        assert rig.status("place.test", source="127.0.0.8") == 302
    rig.call("ext/delete-web-location", id=place["id"])


def rig_locations(rig: Rig) -> list[dict]:
    with rig.server.client() as api:
        return api.call("ext/get-web-locations", {})


def test_override_dates_paths_and_an_allow_inside_a_blocked_domain(rig: Rig) -> None:
    with rig.listed(urls("deep.test")):
        with rig.listed(urls("deep.test/open/", action="allow")):
            assert rig.status("deep.test", "/open/door") == 200
            assert rig.status("deep.test", "/opened") == 302
        with rig.listed(urls("deep.test", action="allow"), target(override=True)):
            assert rig.status("deep.test", "/") == 200
    now = datetime.now(UTC)

    def between(start: int, end: int) -> dict[str, object]:
        """From so many days from now to so many."""
        dates = [f"{now + timedelta(days=day):%Y-%m-%dT%H:%M:%S+0000}" for day in (start, end)]
        return {"fromDate": dates[0], "toDate": dates[1], "fromEternal": False, "toEternal": False}

    with rig.listed(urls("deep.test"), target(**between(-2, -1))):
        assert rig.status("deep.test") == 200
    with rig.listed(urls("deep.test"), target(**between(-2, 1))):
        assert rig.status("deep.test") == 302
    with rig.listed(urls("deep.test/a b", "deep.test/find?q=bad", "deep.test/x%2520y")):
        assert rig.status("deep.test", "/a%20b/c") == 302
        assert rig.status("deep.test", "/find?x=1&q=bad") == 302
        assert rig.status("deep.test", "/find?q=good") == 200
        assert rig.status("deep.test", "/x%2520y") == 302
        assert rig.status("deep.test", "/x%20y") == 200


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("DEEP.test", "/secret"),
        ("deep.test.", "/secret"),
        ("ann:x@deep.test", "/secret"),
        ("deep.test", "/open/../secret"),
        ("deep.test", "/%73ecret"),
        ("deep.test", "/./secret/"),
        ("deep.test", "/secret?q=1"),
    ],
)
def test_a_disguised_url_meets_the_same_verdict(rig: Rig, host: str, path: str) -> None:
    with rig.listed(urls("deep.test/secret")):
        assert rig.status(host, path) == 302


def test_a_url_entry_is_not_widened_to_its_host_where_the_host_is_all_there_is(rig: Rig) -> None:
    with rig.listed(urls("deep.test/secret")):
        assert rig.squid.connect("deep.test", rig.site.port) == 200
        # Others have asked for this host before: theirs are of whole URLs.
        told = until(lambda: [one for one in rig.records(host="deep.test") if one["hostOnly"]], "a record")[0]
        assert (told["notEnforceable"], told["verdict"]) == (1, "none")


def test_a_block_is_on_record_and_explained_by_its_id(rig: Rig) -> None:
    with rig.listed(urls("ours.test")) as made:
        seen = rig.squid.get(f"http://ours.test:{rig.site.port}/x", as_user("ann"))
        decision_id = urlsplit(seen.location).query.removeprefix("id=")
        (told,) = until(lambda: rig.records(host="ours.test"), "a record")
        assert (told["id"], told["user"], told["login"]) == (decision_id, "ann@corp.test", "ann")
        assert (told["policy"]["id"], told["entry"]["value"], told["door"]) == (made["id"], "ours.test", "squid")
        explained = rig.call("ext/explain-web", decisionId=decision_id)
        assert (explained["verdict"], explained["policyId"]) == ("block", made["id"])
        assert rig.call("ext/get-web-record", id=decision_id)["today"]["differs"] is False
    assert rig.call("ext/get-web-record", id=decision_id)["today"]["differs"] is True


def test_the_check_finds_nothing_missing(rig: Rig) -> None:
    done = subprocess.run(
        [MAILREEVE, "check", "squid", "--data", rig.server.folder, "--squid-conf", rig.squid.file, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [check for check in found["checks"] if check["state"] != "ok"] == []
    assert done.returncode == 0


class Load:
    """Browsers that go on asking for a page, and how each fared."""

    def __init__(self, rig: Rig, many: int = 8) -> None:
        self._rig = rig
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(many)
        self.slowest = 0.0
        self.statuses: list[int] = []
        self._asking = [self._pool.submit(self._ask) for _ in range(many)]

    def _ask(self) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            self.statuses.append(self._rig.status("slow.test"))
            self.slowest = max(self.slowest, time.monotonic() - start)

    def end(self) -> None:
        self._over.set()
        for one in self._asking:
            one.result(timeout=30)
        self._pool.shutdown()

    def wait_for(self, more: int) -> None:
        """Until so many more have been answered."""
        wanted = len(self.statuses) + more
        until(lambda: len(self.statuses) >= wanted, f"{more} more answers")


@pytest.mark.alone
def test_a_server_that_is_killed_under_load_leaves_nobody_hanging(rig: Rig) -> None:
    """Requests pass while it is gone, and are decided again once it is back."""
    with rig.listed(urls("plain.test")):
        load = Load(rig)
        load.wait_for(20)
        rig.server.kill()
        load.wait_for(100)
        assert rig.status("plain.test") == 200
        rig.start_server()
        until(lambda: rig.status("plain.test") == 302, "a block")
        load.wait_for(20)
        load.end()
    assert set(load.statuses) == {200}
    assert load.slowest < LONGEST
    assert rig.squid.log().count("is gone") == rig.squid.log().count("is back") == 1


@pytest.mark.alone
def test_a_server_that_stands_still_leaves_nobody_hanging(rig: Rig) -> None:
    load = Load(rig)
    load.wait_for(20)
    os.kill(rig.server.process.pid, signal.SIGSTOP)
    try:
        load.wait_for(100)
    finally:
        os.kill(rig.server.process.pid, signal.SIGCONT)
    load.end()
    assert set(load.statuses) == {200}
    assert load.slowest < LONGEST
    with rig.listed(urls("plain.test")):
        until(lambda: rig.status("plain.test") == 302, "a block")


def test_a_helper_that_is_killed_is_started_again_and_asks(rig: Rig) -> None:
    with rig.listed(urls("plain.test")):
        (helper,) = rig.squid.helpers()
        os.kill(helper, signal.SIGKILL)
        until(lambda: rig.squid.helpers() not in ([], [helper]), "another helper")
        until(lambda: rig.status("other.test") == 200, "a page")
        assert rig.status("plain.test") == 302


@pytest.mark.requires("chromium")
def test_a_browser_sees_the_page_or_the_block_page(rig: Rig, short_folder: Path) -> None:
    def shown() -> str:
        return subprocess.run(
            [
                shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                f"--user-data-dir={short_folder}/chromium", f"--proxy-server=http://127.0.0.1:{rig.squid.port}",
                "--dump-dom", f"http://plain.test:{rig.site.port}/",
            ],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip

    assert "the page" in shown()
    with rig.listed(urls("plain.test")):
        page = shown()
        assert "Your organisation does not allow this address." in page
        assert "Ask for access" in page


@pytest.mark.requires("openssl")
def test_with_inspection_entries_hold_inside_https(rig: Rig, ports: Callable[[], int], short_folder: Path) -> None:
    """A Squid with the guide's further lines, an authority of its own, and a site behind TLS."""
    folder = short_folder / "inspecting"
    folder.mkdir()
    ca, trusted, own = (folder / name for name in ("ca.pem", "authority.pem", "site.pem"))
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    run(*make, "-subj", "/CN=Test authority", "-keyout", ca, "-out", trusted)
    ca.write_text(ca.read_text() + trusted.read_text())
    names = ["-subj", "/CN=tls.test", "-addext", "subjectAltName=DNS:tls.test"]
    names += ["-addext", "basicConstraints=critical,CA:FALSE"]
    run(*make, *names, "-CA", trusted, "-CAkey", ca, "-keyout", own, "-out", folder / "site.crt")
    own.write_text(own.read_text() + (folder / "site.crt").read_text())
    site = Site(own)
    lines = block("squid-inspection").replace("3128", f"127.0.0.1:{ports()}")
    lines = lines.replace("/etc/squid/ca.pem", str(ca)).replace("/var/lib/squid/ssl_db", f"{folder}/ssl_db")
    lines += f"tls_outgoing_options cafile={trusted}\n"
    port = int(lines.partition("127.0.0.1:")[2].split()[0])
    squid = Squid(folder, port, rig.page_port, rig.squid.helper, NAMES, more=lines)
    squid.configure()
    run("/usr/lib/squid/security_file_certgen", "-c", "-s", folder / "ssl_db", "-M", "4MB")
    try:
        squid.start()
        page = f"https://tls.test:{site.port}"
        assert squid.get_inside(f"{page}/secret", trusted).status == 200
        with rig.listed(urls("tls.test/secret")):
            assert squid.get_inside(f"{page}/secret/plan", trusted).status == 302
            assert squid.get_inside(f"{page}/public", trusted).status == 200
        with rig.listed([*urls("tls.test"), *urls("tls.test/open", action="allow")]):
            assert squid.get_inside(f"{page}/open", trusted).body == b"the page"
            seen = squid.get_inside(f"{page}/", trusted)
            assert seen.status == 302
            assert rig.squid.get(seen.location).status == 403
    finally:
        squid.stop()
        site.close()
