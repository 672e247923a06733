"""A digest arrives at the next hop, and its links act over HTTP: a button's POST does, a GET never."""

from __future__ import annotations

import asyncio
import email.policy
import queue
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import urlsplit

import held_copies
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from anyio.from_thread import start_blocking_portal

from mailreeve.app.folder import opened_folder
from mailreeve.app.settings import Settings
from mailreeve.client import Client
from mailreeve.families.directory.users import operations as users
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import parse_address
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Origin, Work

PUBLIC = "https://mail.corp.test/gate"  # a proxy in front takes /gate away
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CONFIRM = b"confirm=yes"
WAIT = 30
CAUSE = "Lotteries"
HOSTILE = 'Win <script>alert("1")</script> \u202eexe'


@dataclass
class NextHop:
    """Takes every message, and keeps it with its envelope."""

    taken: queue.Queue[tuple[str, list[str], EmailMessage]] = field(default_factory=queue.Queue)

    async def listen(self) -> asyncio.Server:
        """Take messages on a free port."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: SMTP(self, hostname="hop.test", loop=loop), "127.0.0.1", 0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken.put((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"

    def next(self) -> tuple[str, list[str], EmailMessage]:
        """The next one that arrives."""
        return self.taken.get(timeout=WAIT)


class Post:
    """A server with its next hop, and users whose mail is held."""

    def __init__(self, live, next_hop: NextHop, client: Client) -> None:
        self.live = live
        self.next_hop = next_hop
        self.client = client

    def hold(self, address: str, subject: str = "Offers") -> None:
        """Have a message held for a user, who is made if there is none."""
        with opened_folder(self.live.data, Settings()) as opened:
            account_id = opened.account_id(None)

            def known(work: Work) -> None:
                if users.reached(work, parse_address(address)) is None:
                    users.add_user(work, address)

            opened.store.write(account_id, Origin("test"), known)
            keeper = MessageKeeper(opened.store, RecordBudget(), opened.bodies)
            held_copies.hold(keeper, held_copies.kept(account_id, address, subject=subject, description=CAUSE))

    def digest(self, address: str, subject: str = "Offers") -> tuple[EmailMessage, dict[str, str]]:
        """The digest about a new held message, and the paths of its links by what they do."""
        self.hold(address, subject)
        self.client.call("ext/send-digest", {"to": address})
        sender, recipients, mail = self.next_hop.next()
        assert (sender, recipients) == ("<>", [address])  # the null sender: nobody answers it
        text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
        links = re.findall(r"^ +(Deliver|Remove)([^\n]*):\n +(\S+)$", text, re.MULTILINE)
        named = {"permit" if "permit" in words else verb.lower(): url for verb, words, url in links}
        assert all(url.startswith(f"{PUBLIC}/digest/") for url in named.values())
        return mail, {name: urlsplit(url).path.removeprefix("/gate") for name, url in named.items()}

    def press(self, path: str):
        """Press the button of a link's page."""
        return self.live.request("POST", path, CONFIRM, FORM)

    def held(self, address: str) -> list[dict]:
        """What is held for a user, as an administrator sees it."""
        found = self.client.call("gateway/get-hold-message-list", {"admin": True})
        return [one for one in found if one["to"]["emailAddress"] == address]

    def entries(self, address: str) -> list[tuple[str, str]]:
        """The personal list of a user."""
        return [
            (row["sender"], row["type"]) for row in self.client.call("ext/get-managed-senders", {"to": address})
        ]


@pytest.fixture(scope="module")
def post(new_folder, live_server_class, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    next_hop = NextHop()
    parent = tmp_path_factory.mktemp("digest")
    with start_blocking_portal() as portal:
        listening = portal.call(next_hop.listen)
        port = listening.sockets[0].getsockname()[1]
        live = live_server_class(
            *new_folder(parent),
            parent / "maildir",
            ["--next-hop", f"127.0.0.1:{port}"],
            {"MAILREEVE_PUBLIC_URL": PUBLIC + "/"},
        )
        live.start()
        with live.client() as client:
            yield Post(live, next_hop, client)
        live.stop()
        portal.call(listening.close)


@pytest.fixture
def ann() -> str:
    return f"ann-{new_key()}@corp.test"


class _Page(HTMLParser):
    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.forms: list[dict] = []
        self.text = ""
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        if tag in ("form", "input", "button"):
            self.forms.append({"tag": tag, **dict(attrs)})

    def handle_data(self, data: str) -> None:
        self.text += data


def test_release_from_the_digest_without_signing_in(post: Post, ann: str) -> None:
    """The complaint: release, allow, block from the digest without signing in (a confirming button acts, a GET
    never)."""
    _, links = post.digest(ann)
    for _ in range(3):
        assert post.live.request("GET", links["deliver"]).status == 200
    assert len(post.held(ann)) == 1
    answer = post.press(links["deliver"])
    assert (answer.status, "The message is being delivered" in answer.body.decode()) == (200, True)
    sender, recipients, message = post.next_hop.next()
    assert (sender, recipients, message["Subject"]) == ("bounces@shop.test", [ann], "Offers")
    assert message.get_content().startswith("A body that comes whole")
    assert (post.held(ann), post.entries(ann)) == ([], [])


def test_allow_from_the_digest_without_signing_in(post: Post, ann: str) -> None:
    _, links = post.digest(ann)
    page = post.live.request("GET", links["permit"]).body.decode()
    assert "offers@shop.test" in page
    assert post.entries(ann) == []
    assert "its sender is permitted" in post.press(links["permit"]).body.decode()
    assert post.next_hop.next()[1] == [ann]
    assert post.entries(ann) == [("offers@shop.test", "Permit")]


def test_block_from_the_digest_without_signing_in(post: Post, ann: str) -> None:
    _, links = post.digest(ann)
    assert post.live.request("GET", links["remove"]).status == 200
    assert post.entries(ann) == []
    assert "its sender is blocked" in post.press(links["remove"]).body.decode()
    assert post.entries(ann) == [("offers@shop.test", "Block")]
    assert post.held(ann) == []


def test_a_link_acts_once_and_says_so(post: Post, ann: str) -> None:
    _, links = post.digest(ann)
    post.press(links["deliver"])
    post.next_hop.next()
    for answer in (
        post.press(links["remove"]),
        post.live.request("GET", links["deliver"]),
        post.press(links["deliver"]),
    ):
        assert answer.status == 200
        assert "Already done" in answer.body.decode()
        assert "form" not in _Page(answer.body).tags
    assert post.entries(ann) == []


def test_whatever_only_looks_does_nothing(post: Post, ann: str) -> None:
    """Scanners fetch, preview, and guess: none of it acts."""
    _, links = post.digest(ann)
    for path in links.values():
        assert post.live.request("GET", path + "?confirm=yes").status == 200
        assert post.live.request("HEAD", path).body == b""
        assert post.live.request("OPTIONS", path).status == 405
        assert post.live.request("PUT", path, CONFIRM, FORM).status == 405
        for body in (b"", b"confirm=no", b"confirm=yes&confirm=yes", b"confirm=yes&x=y", b"confirm=yes" * 1000):
            assert post.live.request("POST", path, body, FORM).status == 400
    assert len(post.held(ann)) == 1
    assert post.entries(ann) == []


def test_the_page_has_a_form_that_needs_no_script_and_nothing_that_could_run(post: Post, ann: str) -> None:
    _, links = post.digest(ann, HOSTILE)
    answer = post.live.request("GET", links["deliver"])
    page = _Page(answer.body)
    assert page.forms == [
        {"tag": "form", "method": "post"},
        {"tag": "input", "type": "hidden", "name": "confirm", "value": "yes"},
        {"tag": "button", "type": "submit"},
    ]
    assert {"script", "img", "link", "iframe", "a"}.isdisjoint(page.tags)
    assert 'Win <script>alert("1")</script> exe' in page.text
    assert CAUSE in page.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_unknown_links_are_told_alike_whatever_they_name(post: Post, ann: str) -> None:
    _, links = post.digest(ann)
    token = links["deliver"].removeprefix("/digest/")
    other = "A" if token[70] != "A" else "B"
    bad = [
        "",
        "x",
        "A" * 115,
        token[:-1],
        token + "A",
        token[:70] + other + token[71:],
        token + "/",
        "%41" + token[1:],
    ]
    told = {
        (answer.status, answer.body) for one in bad for answer in (post.live.request("GET", "/digest/" + one),)
    }
    told |= {(answer.status, answer.body) for one in bad for answer in (post.press("/digest/" + one),)}
    assert len(told) == 1
    assert next(iter(told))[0] == 404
    assert len(post.held(ann)) == 1


def test_the_digest_is_as_it_should_be(post: Post, ann: str) -> None:
    mail, links = post.digest(ann, HOSTILE)
    assert set(links) == {"deliver", "permit", "remove"}
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "1 message is held for you"
    assert mail["From"].addresses[0].addr_spec == "postmaster@corp.test"
    html = mail.get_body(("html",)).get_content()
    assert "<script" not in html
    assert "\u202e" not in html


def test_who_asks_without_end_has_to_wait(post: Post) -> None:
    """The last of this file: after it the server has had enough of us."""
    connection = post.live.connect()
    found = []
    for _ in range(250):
        connection.request("GET", "/digest/x")
        answer = connection.getresponse()
        answer.read()
        found.append(answer.status)
        if answer.status == 429:
            assert int(answer.headers["Retry-After"]) >= 1
            break
    connection.close()
    assert found == [404] * (len(found) - 1) + [429]
