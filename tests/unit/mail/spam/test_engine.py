"""rspamd's protocol: what is asked, what an answer says, and what happens when there is none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest

from mailreeve.families.tracking.outcomes import NotScanned
from mailreeve.mail.scan import Scan, ScanRequest
from mailreeve.mail.spam.answer import MAX_SYMBOLS, read_answer
from mailreeve.mail.spam.engine import MAX_ANSWER, request_fields
from mailreeve.mail.spam.scanner import ENGINE_AWAY, EngineScanner
from mailreeve.mail.spam.settings import EngineSettings, WhenAbsent
from mailreeve.mail.spam.symbols import authentication_of, virus_of
from mailreeve.policy.model.content import SpamAction

REQUEST = ScanRequest(
    header=b"Subject: x\r\n",
    body=(b"\r\n", b"a" * 70_000, b"b\r\n"),
    sender="ann@out.test",
    recipients=("u@corp.test", "v@corp.test"),
    source_ip="192.0.2.9",
    client_name="client.test",
    login="ann",
    queue_id="id1",
    hostname="mx.test",
)


class Engine(BaseHTTPRequestHandler):
    """An engine that says what it is told to say; it keeps connections."""

    protocol_version = "HTTP/1.1"
    said: bytes = b""
    status = 200
    drops = 0
    hangs: threading.Event | None = None
    asked: list[tuple[str, list[tuple[str, str]], bytes]]
    connections = 0

    def setup(self) -> None:
        type(self).connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cls = type(self)
        if cls.hangs is not None:
            cls.hangs.wait(20)
        if cls.drops:
            cls.drops -= 1
            self.close_connection = True
            return
        cls.asked.append((self.path, self.headers.items(), body))
        self.send_response(cls.status)
        self.send_header("Content-Length", str(len(cls.said)))
        with suppress(ConnectionError):  # who has waited long enough, or heard enough, is gone
            self.end_headers()
            self.wfile.write(cls.said)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def engine() -> Iterator[type[Engine]]:
    handler = type("Own", (Engine,), {"asked": [], "said": answer("no action")})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield handler
    server.shutdown()
    server.server_close()


def answer(action: str, score: float = 1.0, **more: object) -> bytes:
    return json.dumps({"action": action, "score": score, "required_score": 15.0, **more}).encode()


def scans(url: str, *requests: ScanRequest, **settings: object) -> list[Scan]:
    async def run() -> list[Scan]:
        scanner = EngineScanner(EngineSettings(url=url, **settings), clock=lambda: 1.0)
        try:
            return [await scanner.scan(request) for request in requests]
        finally:
            await scanner.aclose()

    return anyio.run(run)


def test_it_is_asked_once_in_rspamds_words(engine):
    """Every recipient in a field of its own, the message in one piece, the length said before; and all tests are
    wanted, however high the score is after the first."""
    (scan,) = scans(engine.url, REQUEST)
    ((path, fields, body),) = engine.asked
    assert path == "/checkv2"
    assert body == REQUEST.header + b"".join(REQUEST.body)
    wanted = {
        ("Pass", "all"),
        ("IP", "192.0.2.9"),
        ("Helo", "client.test"),
        ("From", "ann@out.test"),
        ("Rcpt", "u@corp.test"),
        ("Rcpt", "v@corp.test"),
        ("User", "ann"),
        ("Queue-Id", "id1"),
        ("MTA-Name", "mx.test"),
    }
    assert wanted <= {(name, value) for name, value in fields}
    assert (scan.verdict.action, scan.verdict.score, scan.verdict.required) == (SpamAction.NO_ACTION, 1.0, 15.0)


def test_connections_are_kept(engine):
    assert len(scans(engine.url, REQUEST, REQUEST, REQUEST)) == 3
    assert engine.connections == 1


def test_a_question_that_was_dropped_is_asked_again(engine):
    engine.drops = 1
    (scan,) = scans(engine.url, REQUEST)
    assert scan.verdict is not None


def test_nothing_that_a_client_said_breaks_out_of_a_field():
    from msgspec.structs import replace

    odd = replace(REQUEST, client_name="a\r\nDeliver-To: x", login="\x00", sender="")
    fields = request_fields(odd)
    assert (b"Helo", b"aDeliver-To: x") in fields
    assert (b"From", b"<>") in fields
    assert not any(b"\n" in value or b"\r" in value for _, value in fields)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"no json", 200),
        (b'{"error": "no"}', 200),
        (answer("reject"), 500),
        (b" " * (MAX_ANSWER + 1), 200),
    ],
)
def test_what_is_no_verdict_is_none(engine, said, status):
    engine.said, engine.status = said, status
    (scan,) = scans(engine.url, REQUEST)
    assert scan == Scan(not_scanned=NotScanned.NO_ANSWER)


def test_an_engine_that_is_not_there(engine):
    nowhere = "http://127.0.0.1:1"
    assert scans(nowhere, REQUEST) == [Scan(not_scanned=NotScanned.NO_ANSWER)]
    deferred = Scan(not_scanned=NotScanned.NO_ANSWER, refusal=ENGINE_AWAY)
    assert scans(nowhere, REQUEST, when_absent=WhenAbsent.DEFER) == [deferred]


def test_an_engine_that_hangs_is_waited_for_so_long(engine):
    engine.hangs = threading.Event()
    assert scans(engine.url, REQUEST, timeout=0.2) == [Scan(not_scanned=NotScanned.NO_ANSWER)]
    engine.hangs.set()


def test_so_many_at_once_and_the_others_wait_within_their_time(engine):
    """One that hangs keeps the second from its turn; both have an end."""
    engine.hangs = threading.Event()

    async def run() -> list[Scan]:
        scanner = EngineScanner(EngineSettings(url=engine.url, timeout=1.0, at_once=1))
        found: list[Scan] = []

        async def one() -> None:
            found.append(await scanner.scan(REQUEST))

        async with anyio.create_task_group() as group:
            group.start_soon(one)
            while not engine.connections:
                await anyio.sleep(0.001)
            # Were both times up at one moment, the second could have its turn in that moment.
            scanner._engine._timeout = 0.1
            group.start_soon(one)
        await scanner.aclose()
        return found

    assert anyio.run(run) == [Scan(not_scanned=NotScanned.NO_ANSWER)] * 2
    assert engine.connections == 1
    engine.hangs.set()


def test_a_large_message_is_not_scanned_whatever_is_set(engine):
    scan = scans(engine.url, REQUEST, max_size=100, when_absent=WhenAbsent.DEFER)
    assert scan == [Scan(not_scanned=NotScanned.TOO_LARGE)]
    assert not engine.asked


def test_greylisted_mail_is_known_again(engine):
    from msgspec.structs import replace

    engine.said = answer("greylist")
    other = replace(REQUEST, body=(b"\r\nanother\r\n",))
    again = replace(REQUEST, header=b"Received: of later\r\n" + REQUEST.header, source_ip="192.0.2.10")
    found = [scan.verdict.was_put_off for scan in scans(engine.url, REQUEST, other, again, other)]
    assert found == [False, False, True, True]


def test_an_answer_is_bounded_and_the_weightiest_stand_first():
    symbols = {f"S{n}": {"score": float(-n), "options": ["x"] * 3} for n in range(500)}
    verdict = read_answer(answer("add header", 7.123456, symbols=symbols)).verdict
    assert len(verdict.symbols) == MAX_SYMBOLS
    assert verdict.symbols[0].name == "S499"
    assert verdict.score == 7.12


@pytest.mark.parametrize(
    ("said", "action"), [("discard", "reject"), ("quarantine", "add header"), ("own word", "no action")]
)
def test_actions_that_we_do_not_have(said, action):
    assert read_answer(answer(said)).verdict.action == action


def test_authentication_in_words_of_rfc_8601():
    symbols = {
        "R_SPF_ALLOW": ["+ip4:192.0.2.0/24"],
        "R_DKIM_ALLOW": ["Out.Test:s=key"],
        "DMARC_POLICY_REJECT": ["out.test : No valid SPF", "reject"],
    }
    assert authentication_of({**symbols, "X": []}) == {
        "spf": "pass",
        "dkim": "pass",
        "dkim_domain": "out.test",
        "dmarc": "fail",
    }
    assert authentication_of({"DMARC_POLICY_ALLOW": ["out.test", "none"]})["dmarc_domain"] == "out.test"
    assert authentication_of({}) == {}


@pytest.mark.parametrize(
    ("symbols", "said", "virus"),
    [
        ({"CLAM_VIRUS": ["Eicar-Signature"]}, "", "Eicar-Signature"),
        ({"CLAMAV": []}, "", "CLAMAV"),
        ({"SOPHOS_VIRUS": ["\x1b[31mx"]}, "", "[31mx"),
        ({"CLAM_VIRUS_FAIL": ["no answer"], "MIME_GOOD": []}, "", ""),
        ({}, 'clamav: virus found: "Eicar"', "Eicar"),
        ({}, "Gtube pattern", ""),
    ],
)
def test_viruses_are_known_by_their_symbols(symbols, said, virus):
    assert virus_of(symbols, said) == virus
