"""What became of real messages is found afterwards: by the command, over the API, in the service's log."""

from __future__ import annotations

import json
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailreeve.app import logs
from mailreeve.client import Policy, Target

MAILREEVE = Path(sys.executable).with_name("mailreeve")
GUIDE = Path(__file__).parents[2] / "docs/guides/what-happened.md"

MESSAGE = (
    "From: {author}\r\nTo: <u@corp.test>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.test>\r\n\r\nHello\r\n"
)


def mailreeve(live, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [MAILREEVE, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={"MAILREEVE_DATA": str(live.data)},
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


class Mail:
    """Messages to one server, and what was said to each."""

    def __init__(self, live) -> None:
        self.live = live
        self.said: dict[str, str] = {}

    def send(self, title: str, sender: str, recipient: str, author: str | None = None) -> None:
        content = MESSAGE.format(author=author or sender, subject=title)
        with smtplib.SMTP(*self.live.smtp, local_hostname="client.test", timeout=60) as smtp:
            smtp.ehlo()
            smtp.mail(sender)
            code, text = smtp.rcpt(recipient)
            if code == 250:
                code, text = smtp.data(content)
            self.said[title] = f"{code} {text.decode()}"

    def greeted(self, title: str) -> None:
        """What a connection is greeted with. The server closes it once that is recorded, and so it is when this
        returns."""
        with socket.create_connection(self.live.smtp, timeout=60) as connection:
            self.said[title] = connection.makefile("rb").read().decode().strip()

    def decision(self, title: str) -> str:
        return re.search(r"\[([a-z2-7]{16})\]", self.said[title])[1]


@pytest.fixture(scope="module")
def world(new_folder, live_server_class, tmp_path_factory):
    """A server to which mail was sent that had every fate there is, and which was stopped."""
    parent = tmp_path_factory.mktemp("happened")
    live = live_server_class(*new_folder(parent), parent / "maildir")
    live.start()
    mail = Mail(live)
    with live.client() as client:
        by_envelope = client.blocked_senders.create(Policy("No bad", Target.domain("bad.test"), Target.internal()))
        scope = {
            "from": {"type": "email_domain", "emailDomain": "brand.test"},
            "to": {"type": "internal_addresses"},
        }
        by_header = {"description": "No brand", "fromPart": "header_from", **scope}
        create = {"option": "block_sender", "policy": by_header}
        (header,) = client.call("policy/blockedsenders/create-policy", create)
        mail.send("delivered", "ann@out.test", "u@corp.test", "Ann <ann@letters.test>")
        mail.send("at-rcpt", "x@bad.test", "u@corp.test")
        mail.send("at-data", "y@out.test", "u@corp.test", "Shop <z@brand.test>")
        mail.send("deferred", "x@out.test", "someone@else.test")
        client.send("directory/create-group", {"description": "one"}, {"parentId": "none"})
        everybody = {
            "description": "Nobody from here",
            "from": {"type": "everyone"},
            "to": {"type": "everyone"},
            "override": True,
            "conditions": {"sourceIPs": ["127.0.0.1/32"]},
        }
        item = {"option": "block_sender", "policy": everybody, "confirmReach": True}
        (source,) = client.call("policy/blockedsenders/create-policy", item)
        mail.greeted("at-connect")
        policies = {"at-rcpt": by_envelope.id, "at-data": header["id"], "at-connect": source["id"]}
        item = {"advancedTrackAndTraceOptions": {"senderIP": "127.0.0.1"}}
        tracked = client.call("message-finder/search", item)[0]["trackedEmails"]
        infos = {
            one["id"]: client.call("message-finder/get-message-info", {"id": one["id"]})[0] for one in tracked
        }
        refused = live.post("/api/account/get-account", headers={"Authorization": "MC nobody:nothing"})
        assert refused.status == 401
    live.stop()
    return live, mail, policies, (tracked, infos)


FATES = {
    "delivered": ("delivered", None, "default"),
    "at-rcpt": ("rejected", "rcpt", "blocked_senders"),
    "at-data": ("rejected", "data", "blocked_senders"),
    "deferred": ("deferred", "rcpt", "blocked_senders"),
    "at-connect": ("deferred", "connect", "blocked_senders"),
}


def test_the_messages_had_their_fates(world):
    _, mail, _, _ = world
    assert {title: said[:3] for title, said in mail.said.items()} == {
        "delivered": "250",
        "at-rcpt": "550",
        "at-data": "550",
        "deferred": "451",
        "at-connect": "421",
    }


def relay_policy(live) -> str:
    """The id of the account's own policy against relaying."""
    events = json.loads(mailreeve(live, "audit", "--text", "Default: no open relay", "--json"))["events"]
    return events[0]["objectId"]


@pytest.mark.parametrize("title", FATES)
def test_each_is_found_by_the_command_on_the_folder(world, title):
    live, mail, policies, _ = world
    policies = policies | {"deferred": relay_policy(live)}
    records = json.loads(mailreeve(live, "log", "--json"))["records"]
    (record,) = [one for one in records if one["decisionId"] == mail.decision(title)]
    assert (record["verdict"], record["stage"], record["layer"]) == FATES[title]
    assert record["reply"] == mail.said[title]
    assert (record["policy"] or {}).get("id") == policies.get(title)
    assert record["clientName"] == ("" if title == "at-connect" else "client.test")
    # The reply as it was pasted from a bounce, and the beginning of the id.
    for text in (mail.said[title], mail.decision(title)[:12]):
        (shown,) = json.loads(mailreeve(live, "log", "show", text, "--json"))["records"]
        assert {name: shown[name] for name in record} == record
    if title == "delivered":
        assert shown["nextHopReply"].startswith("250 2.0.0 stored as ")
        assert (live.maildir / "new" / shown["queueId"]).exists()
    page = mailreeve(live, "log", "show", mail.decision(title))
    assert mail.decision(title) in page
    # Mail from here would be refused at connect by now; that is told apart from what was done.
    assert ("Today the same mail would be refused by" in " ".join(page.split())) is (title != "at-connect")


def test_a_page_of_a_decision_is_about_what_was_kept(world):
    live, _, policies, _ = world
    page = mailreeve(live, "log", "show", "at-data@x.test")
    assert page.startswith("From <y@out.test> to <u@corp.test>: rejected\n")
    for text in (policies["at-data"], "Shop <z@brand.test>", "(HELO client.test)", "No brand", "at-data"):
        assert text in page, page


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        (["--from", "letters.test"], ["delivered"]),
        (["--to", "else.test"], ["deferred"]),
        (["--verdict", "rejected"], ["at-rcpt", "at-data"]),
        (["--not", "verdict=rejected", "--not", "to=u@corp.test"], ["deferred", "at-connect"]),
        (["--message-id", "at-data@x.test"], ["at-data"]),
        (["--limit", "2"], ["deferred", "at-connect"]),
        (["--since", "1h", "--until", "2100-01-01", "--ip", "127.0.0.1", "--from", "@bad.test"], ["at-rcpt"]),
        (["--from", "nobody.test"], []),
    ],
)
def test_options_narrow_the_list_whose_newest_stands_last(world, options, titles):
    live, mail, _, _ = world
    lines = mailreeve(live, "log", *options).splitlines()
    assert [re.search(r"\[(\w{16})\]", line)[1] for line in lines] == [mail.decision(title) for title in titles]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "a@b@c"], "from"),
        (["--not", "subject=x"], "--not"),
        (["--not", "verdict=lost"], "verdict"),
        (["--since", "soon"], "since"),
        (["--follow", "--until", "1h"], "--until"),
    ],
)
def test_what_cannot_be_asked_is_named(world, options, words):
    live, *_ = world
    done = subprocess.run(
        [MAILREEVE, "log", "--data", live.data, *options], capture_output=True, text=True, timeout=60
    )
    assert done.returncode in (1, 2)
    assert words in done.stderr


def test_message_finder_has_them_all(world):
    _, _, _, (tracked, infos) = world
    by_subject = {one["subject"]: one for one in tracked}
    assert [one["status"] for one in tracked] == ["deferred", "deferred", "rejected", "rejected", "accepted"]
    assert by_subject["at-data"]["fromHdr"] == {"emailAddress": "z@brand.test", "displayableName": "Shop"}
    assert by_subject["at-data"]["fromEnv"] == {"emailAddress": "y@out.test"}
    assert [one["info"] for one in tracked if one["fromEnv"]["emailAddress"] == "x@bad.test"] == [
        "Envelope Rejected"
    ]
    assert {one["route"] for one in tracked} == {"inbound", "external"}
    assert all(one["to"] for one in tracked)
    delivered = infos[by_subject["delivered"]["id"]]
    assert delivered["recipientInfo"]["messageInfo"]["fromHeader"] == "Ann <ann@letters.test>"
    assert delivered["deliveredMessage"]["u@corp.test"]["messageInfo"]["subject"] == "delivered"
    assert delivered["status"] == "accepted"


def test_the_log_has_a_line_for_each(world):
    live, mail, policies, _ = world
    policies = policies | {"deferred": relay_policy(live)}
    lines = [line for line in live.log().splitlines() if " event=mail " in line]
    assert len(lines) == len(FATES)
    for title, (verdict, stage, layer) in FATES.items():
        (line,) = [line for line in lines if f"decision={mail.decision(title)} " in line]
        at = f" stage={stage}" if stage else ""
        assert f"level=info event=mail source_ip=127.0.0.1 verdict={verdict}{at} layer={layer} decision=" in line
        assert f'reply="{mail.said[title]}"' in line
        assert (f" policy={policies[title]} " in line) if title in policies else (" policy=" not in line)
    (delivered,) = [line for line in lines if "verdict=delivered" in line]
    assert " message_id=<delivered@x.test> queue_id=" in delivered
    log = live.log()
    assert re.search(
        r"event=started version=\S+ revision=1 http=http://127\.0\.0\.1:\d+ smtp=127\.0\.0\.1:\d+\n", log
    )
    assert re.search(r"event=stopping version=\S+ revision=\d\n", log)
    assert "event=stopped version=" in log
    calls = re.findall(
        r'event="api call" address=127\.0\.0\.1 actor=(\S+) path=(\S+) revision=(\d+) (items=.*) req', log
    )
    paths = ["policy/blockedsenders/create-policy"] * 2 + ["directory/create-group"]
    assert [path for _, path, _, _ in calls] == [*paths, "policy/blockedsenders/create-policy"]
    assert [revision for _, _, revision, _ in calls] == ["2", "3", "4", "5"]
    assert calls[2][3] == "items=2 failures=1"


def filters() -> dict[str, list[str]]:
    """The failregex of each filter in the guide."""
    text = GUIDE.read_text("utf-8")
    named = re.findall(r"filter\.d/(\S+)\.conf`:\n\n```ini\n\[Definition\]\nfailregex = (.*?)```", text, re.DOTALL)
    return {name: [line.strip() for line in lines.strip().splitlines()] for name, lines in named}


def test_the_filters_of_the_guide_find_who_is_refused(world):
    live, *_ = world
    host = r"(?P<host>[0-9a-fA-F:.]+)"
    hits = {
        name: sum(
            bool(re.search(one.replace("<HOST>", host), line))
            for line in live.log().splitlines()
            for one in regexes
        )
        for name, regexes in filters().items()
    }
    assert hits == {"mailreeve-mail": 4, "mailreeve-api": 1}


LIE = "level=info event=mail source_ip=203.0.113.9 verdict=rejected stage=rcpt layer=relay x"
ANOTHER_LIE = "timestamp=2026-11-27T16:14:39Z level=info event=smtp.no_account source_ip=203.0.113.9"
A_THIRD = 'level=warning event="credentials refused" address=203.0.113.9 reason=none'


def told(**members: object) -> str:
    return logs._line(None, "info", {"timestamp": "2026-11-27T16:14:39.876565Z", "level": "info", **members})


@pytest.mark.parametrize("lie", [LIE, ANOTHER_LIE, A_THIRD])
def test_nobody_has_another_banned_by_what_he_writes(lie):
    """Whatever a stranger says stands in the line of his own address, and no filter takes it for another's."""
    lines = [
        told(event="mail", source_ip="192.0.2.7", verdict="delivered", helo=lie, reply="250", message_id=lie),
        told(event="mail", source_ip="192.0.2.7", verdict="rejected", stage="rcpt", layer="relay", sender=lie),
        told(event="smtp.no_account", recipient=f'"{lie}"@else.test', source_ip="192.0.2.7"),
        told(event="smtp.message", source_ip="192.0.2.7", sender=lie, reply="250"),
        told(event="credentials refused", address="192.0.2.7", actor=lie),
    ]
    found = [
        match["host"]
        for line in lines
        for one in (one for regexes in filters().values() for one in regexes)
        for match in [re.search(one.replace("<HOST>", r"(?P<host>[0-9a-fA-F:.]+)"), line)]
        if match
    ]
    assert found == ["192.0.2.7"] * 2


@pytest.mark.requires("fail2ban-regex")
def test_fail2ban_finds_them_too(world, tmp_path):
    live, *_ = world
    log = tmp_path / "mailreeve.log"
    log.write_text(live.log(), "utf-8")
    for (name, regexes), hits in zip(filters().items(), (4, 1), strict=True):
        file = tmp_path / f"{name}.conf"
        file.write_text("[Definition]\nfailregex = " + "\n            ".join(regexes) + "\n", "utf-8")
        done = subprocess.run(
            [shutil.which("fail2ban-regex"), log, file], capture_output=True, text=True, timeout=60
        )
        assert f"Failregex: {hits} total" in done.stdout, done.stdout


@pytest.mark.parametrize("over_http", [False, True], ids=["folder", "server"])
def test_follow_shows_what_comes_until_it_is_interrupted(fresh_server, over_http):
    live = fresh_server()
    keys = live.data.with_name("keys.json")
    keys.write_text(json.dumps(live.credentials))
    where = ["--data", live.data, *(["--url", live.http, "--credentials", keys] if over_http else [])]
    mail = Mail(live)
    mail.send("before", "a@out.test", "u@corp.test")
    with ExitStack() as ending:
        follows = subprocess.Popen(
            [MAILREEVE, "log", "--follow", "--json", "--from", "out.test", *where],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ending.callback(follows.kill)
        assert json.loads(follows.stdout.readline())["subject"] == "before"
        mail.send("other", "a@else.test", "u@corp.test")
        mail.send("after", "a@out.test", "u@corp.test")
        assert json.loads(follows.stdout.readline())["subject"] == "after"
        follows.send_signal(signal.SIGINT)
        assert follows.wait(30) == 130
        follows.stdout.close()
        follows.stderr.close()


def test_audit_tells_who_changed_what(world):
    live, *_ = world
    lines = mailreeve(live, "audit", "--kind", "blocked sender policy", "--since", "1d").splitlines()
    (first,) = [line for line in lines if '"No bad"' in line]
    assert re.search(r" from 127\.0\.0\.1 made blocked sender policy \"No bad\" \(revision 2\)\Z", first)
    events = json.loads(mailreeve(live, "audit", "--text", "nobody from here", "--json"))["events"]
    assert [event["after"]["document"]["description"] for event in events] == ["Nobody from here"]
    assert events[0]["before"] is None
