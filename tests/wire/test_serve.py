"""The command line's contract, held by real processes (design.md section 7)."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import signal
import smtplib
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailreeve.client import Client, Credentials, Unreachable

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PATIENCE = 60  # seconds until a process that should have done something is killed
PROMISED = [
    "account_code",
    "app_id",
    "app_key",
    "access_key",
    "secret_key",
    "client_id",
    "client_secret",
    "admin",
    "admin_password",
]
MESSAGE = b"From: x@out.test\r\nSubject: hello\r\n\r\nHello.\r\n"


def environment(**more: str) -> dict[str, str]:
    """This process' environment without anything of Mailreeve's, and `more`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAILREEVE_")} | more


def run(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """A `mailreeve` command that ends by itself."""
    return subprocess.run(
        [MAILREEVE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(**more),
        timeout=PATIENCE,
        check=False,
    )


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file of a folder with what it holds and who may read it."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


class Serving:
    """A `mailreeve serve` that has said `ready`. `lines` is all that it has printed until then."""

    def __init__(self, data: Path, arguments: Sequence[object], more: dict[str, str]) -> None:
        self._log = data.with_name(f"{data.name}.serving.log")
        command = [MAILREEVE, "serve", "--data", data, *arguments]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [*map(str, command)], stdout=subprocess.PIPE, stderr=log, text=True, env=environment(**more)
            )
        late = threading.Timer(PATIENCE, self.process.kill)
        late.start()
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            if line == "ready\n":
                break
        late.cancel()

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def http(self) -> str:
        return self.lines[0].split()[1]

    @property
    def smtp(self) -> tuple[str, int]:
        host, _, port = self.lines[1].split()[1].rpartition(":")
        return host, int(port)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, and return the exit code and what was printed after `ready`."""
        if self.process.stdout.closed:
            return self.process.returncode, ""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, rest


@pytest.fixture
def data(new_folder, tmp_path: Path) -> Path:
    """An initialised data folder."""
    return new_folder(tmp_path)[0]


@pytest.fixture
def keys(initialised_folder) -> Credentials:
    """The credentials of any such folder."""
    return Credentials(**{name: initialised_folder[1][name] for name in Credentials.__struct_fields__})


ANY_PORT = ("--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0")


@pytest.fixture
def serve() -> Iterator[Callable[..., Serving]]:
    """`serve(data, *arguments, **environment)`; ended at the end."""
    started: list[Serving] = []

    def start(data: Path, *arguments: object, **more: str) -> Serving:
        started.append(Serving(data, arguments, more))
        return started[-1]

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.process.kill()
        serving.process.communicate()


# ------------------------------------------------------------------------------------------------------------ init


def test_init_prints_one_json_object_with_the_promised_keys(initialised_folder):
    """As text, and nothing else on standard output; the folder holds what belongs there, private."""
    folder, credentials = initialised_folder
    assert list(credentials) == PROMISED
    assert all(isinstance(value, str) and value for value in credentials.values())
    assert credentials["admin"] == "admin@corp.test"
    assert {path.name for path in folder.iterdir()} >= {"mailreeve.toml", "mailreeve.db", "secret.key"}
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600


def test_init_takes_domains_and_an_administrator_and_saves_credentials(tmp_path, serve):
    saved = tmp_path / "keys.json"
    done = run(
        "init", "--data", tmp_path / "d", "--domain", "a.test", "--domain", "Bücher.test", "--admin", "jo@a.test",
        "--save", saved, "--json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(saved.read_text()) == json.loads(done.stdout)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    with Client(serve(tmp_path / "d", *ANY_PORT).http, Credentials.load(saved)) as client:
        rows = client.call("domain/get-internal-domain")
        assert sorted(row["domain"] for row in rows) == ["a.test", "bücher.test"]
        (profile,) = client.call("user/get-profile", {"emailAddress": "jo@a.test"})
        assert profile["role"] == "Super Administrator"


def test_init_refuses_an_initialised_folder_and_changes_nothing(data):
    before = tree(data)
    done = run("init", "--data", data, "--domain", "other.test", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is initialised already; nothing was changed" in done.stderr
    assert tree(data) == before


def test_init_refuses_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "precious.txt").write_text("mine")
    done = run("init", "--data", tmp_path / "d", "--domain", "a.test")
    assert (done.returncode, done.stdout) == (1, "")
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--domain"),
        (("--domain", "no domain"), "--domain"),
        (("--domain", "a.test", "--admin", "jo@b.test"), "--admin"),
        (("--domain", "a.test", "--admin", "jo"), "--admin"),
    ],
)
def test_init_that_is_refused_leaves_nothing_behind(tmp_path, arguments, said):
    done = run("init", "--data", tmp_path / "d", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------------------------------- serve: output


def test_serve_prints_a_line_per_listener_and_ready_and_nothing_more(data, serve, keys):
    """Both accept by then; logs, of refusals too, go to standard error; SIGTERM ends it with 0."""
    serving = serve(data, *ANY_PORT)
    assert len(serving.lines) == 3
    assert re.fullmatch(r"http http://127\.0\.0\.1:[1-9]\d*\n", serving.lines[0])
    assert re.fullmatch(r"smtp 127\.0\.0\.1:[1-9]\d*\n", serving.lines[1])
    assert serving.lines[2] == "ready\n"
    with Client(serving.http, keys) as client:
        assert client.call("account/get-account")
    with smtplib.SMTP(*serving.smtp, timeout=PATIENCE) as smtp:
        assert smtp.noop()[0] == 250
        assert smtp.docmd("NONSENSE")[0] == 500
        assert smtp.sendmail("x@out.test", "u@corp.test", MESSAGE) == {}
    assert " event=mail source_ip=127.0.0.1 verdict=delivered " in serving.log
    assert serving.end() == (0, "")
    assert "Traceback" not in serving.log


def test_interrupt_ends_it_as_well(data, serve):
    """Ctrl-C is no less graceful than SIGTERM."""
    assert serve(data, *ANY_PORT).end(signal.SIGINT) == (0, "")


def test_health_and_readiness_need_no_keys(data, serve):
    serving = serve(data, *ANY_PORT)
    with closing(http.client.HTTPConnection(serving.http.removeprefix("http://"), timeout=PATIENCE)) as connection:
        for path in ("/healthz", "/readyz"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, path


def test_mail_goes_into_a_maildir_of_the_folder_by_default(data, serve):
    serving = serve(data, *ANY_PORT)
    with smtplib.SMTP(*serving.smtp, timeout=PATIENCE) as smtp:
        smtp.sendmail("x@out.test", "u@corp.test", MESSAGE)
    (file,) = (data / "maildir" / "new").iterdir()
    assert b"Delivered-To: u@corp.test" in file.read_bytes()


# ------------------------------------------------------------------------------------------------ serve: in flight


def test_sigterm_finishes_the_message_in_flight(data, serve):
    """A content half sent when the signal comes is taken to its end, answered 250 and kept; then it exits with 0.
    Nobody else is let in meanwhile."""
    serving = serve(data, *ANY_PORT)
    with closing(smtplib.SMTP(*serving.smtp, timeout=PATIENCE)) as smtp:
        smtp.ehlo("client.test")
        assert smtp.mail("x@out.test")[0] == 250
        assert smtp.rcpt("u@corp.test")[0] == 250
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(MESSAGE)
        serving.process.send_signal(signal.SIGTERM)
        wait_until_closed(serving.smtp)
        smtp.send(b"The end.\r\n.\r\n")
        assert smtp.getreply()[0] == 250
    code, _ = serving.end()
    assert code == 0
    (file,) = (data / "maildir" / "new").iterdir()
    assert file.read_bytes().endswith(b"Hello.\nThe end.\n")


def test_sigterm_finishes_the_call_in_flight(fresh_server):
    """A signed request whose body is half sent when the signal comes is carried out and answered."""
    live = fresh_server()
    path, body = "/api/directory/create-group", b'{"data": [{"description": "made while stopping"}]}'
    with closing(live.connect()) as connection:
        connection.putrequest("POST", path)
        for name, value in live.signed(path).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])
        live.process.send_signal(signal.SIGTERM)
        host, _, port = live.http.removeprefix("http://").partition(":")
        wait_until_closed((host, int(port)))
        connection.send(body[10:])
        answer = connection.getresponse()
        parsed = json.loads(answer.read())
    assert (answer.status, parsed["fail"]) == (200, [])
    live.stop()
    live.start()
    with live.client() as client:
        (found,) = client.call("directory/find-groups", {"query": "made while stopping"})
    assert len(found["folders"]) == 1


def wait_until_closed(address: tuple[str, int]) -> None:
    """Return once a listener takes no more connections, which is when the signal has been acted upon."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            # A mail door that is closing may still answer, to send whoever comes away.
            with closing(socket.create_connection(address, timeout=0.5)) as probe:
                if probe.recv(3) in (b"421", b""):
                    return
        except TimeoutError:
            continue
        except ConnectionError:
            return
    pytest.fail("the server still takes connections")


# ----------------------------------------------------------------------------------------------- serve: the folder


def test_second_server_on_a_folder_is_refused_and_the_first_goes_on(data, serve, keys):
    first = serve(data, *ANY_PORT)
    done = run("serve", "--data", data, *ANY_PORT)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{data} is being served by another process" in done.stderr
    with Client(first.http, keys) as client:
        assert client.call("account/get-account")


def test_folder_that_is_not_initialised_is_refused_with_what_to_do(tmp_path):
    for folder in (tmp_path / "absent", tmp_path):
        done = run("serve", "--data", folder, *ANY_PORT)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"mailreeve init --data {folder}" in done.stderr
    assert not (tmp_path / "absent").exists()


def test_serve_init_makes_a_new_folder_once(tmp_path, serve):
    """With its credentials in the folder; the second start finds it made and keeps it."""
    data = tmp_path / "d"
    arguments = ("--init", "--domain", "new.test", "--admin", "jo@new.test", *ANY_PORT)
    serving = serve(data, *arguments)
    assert serving.lines[-1] == "ready\n"
    saved = data / "credentials.json"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    with Client(serving.http, Credentials.load(saved)) as client:
        assert [row["domain"] for row in client.call("domain/get-internal-domain")] == ["new.test"]
    assert serving.end()[0] == 0
    before = saved.read_bytes()
    with Client(serve(data, *arguments).http, Credentials.load(saved)) as client:
        assert client.call("account/get-account")
    assert saved.read_bytes() == before


# ------------------------------------------------------------------------------------------------- serve: settings


def test_option_comes_before_environment_before_file_before_default(data, serve):
    """Each start adds a stronger source for the address; the weaker ones keep the port that they alone name."""
    ports = [free_port() for _ in range(6)]
    in_file, in_environment, as_option = (f"127.0.0.1:{port}" for port in ports[:3])
    smtp_in_file = f"127.0.0.1:{ports[3]}"
    with (data / "mailreeve.toml").open("a") as file:
        file.write(f'\nhttp = "{in_file}"\nsmtp = "{smtp_in_file}"\n')

    def listening(*arguments: object, **more: str) -> list[str]:
        serving = serve(data, *arguments, **more)
        assert serving.lines[-1] == "ready\n", serving.log
        assert serving.end()[0] == 0
        return [line.split()[1].removeprefix("http://") for line in serving.lines[:2]]

    assert listening() == [in_file, smtp_in_file]
    assert listening(MAILREEVE_HTTP=in_environment) == [in_environment, smtp_in_file]
    assert listening("--http", as_option, MAILREEVE_HTTP=in_environment) == [as_option, smtp_in_file]


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        ((), {"MAILREEVE_MAX_MESSAGE": "many"}, "MAILREEVE_MAX_MESSAGE"),
        ((), {"MAILREEVE_TLS_CERT": "cert.pem"}, "tls_cert and tls_key"),
        (("--tls-cert", "absent.pem", "--tls-key", "absent.pem"), {}, "absent.pem"),
        ((), {"MAILREEVE_NEXT_HOP": "mail.test"}, "next_hop"),
        ((), {"MAILREEVE_MILTER": "unix:here.sock"}, "milter"),
        (("--milter", "unix:/nowhere/at/all.sock"), {}, "milter: unix:/nowhere/at/all.sock cannot be had"),
        ((), {"MAILREEVE_HOSTNAME": "gäte.test"}, "hostname"),
        ((), {"MAILREEVE_HOSTNAME": "gate test"}, "hostname"),
        ((), {"MAILREEVE_HOSTNAME": "gate.test\r\nX: y"}, "hostname"),
        ((), {"MAILREEVE_HOSTNAME": "[192.0.2]"}, "hostname"),
        (("--next-hop", "127.0.0.1:25"), {"MAILREEVE_NEXT_HOP_STARTTLS": "maybe"}, "next_hop_starttls"),
    ],
)
def test_setting_that_makes_no_sense_is_named_and_nothing_is_served(data, arguments, more, said):
    done = run("serve", "--data", data, *ANY_PORT, *arguments, **more)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [("--smtp", "nonsense"), ("--tls-cert", "cert.pem"), ("--next-hop", "mail.test"), ("--milter", "nonsense")],
)
def test_option_that_makes_no_sense_is_named_as_it_was_typed(data, option, value):
    done = run("serve", "--data", data, option, value)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option} '{value}': " in done.stderr


def test_unknown_key_in_the_file_is_named(data):
    (data / "mailreeve.toml").write_text("smpt = '127.0.0.1:0'\n")
    done = run("serve", "--data", data)
    assert (done.returncode, done.stdout) == (1, "")
    assert "smpt" in done.stderr


@pytest.mark.parametrize("listener", ["--http", "--smtp"])
def test_address_in_use_is_refused(data, listener):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("serve", "--data", data, *ANY_PORT, listener, address)
    assert (done.returncode, done.stdout) == (1, "")
    name = listener.removeprefix("--")
    said = f"{name}: {address} is in use; choose another with {listener} or MAILREEVE_{name.upper()}"
    assert said in done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that it signed itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gate.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def test_certificate_makes_https_and_starttls(data, serve, keys, certificate):
    """The same one for both doors, verified by both clients; nobody is served over plain HTTP any more."""
    cert, key = certificate
    serving = serve(data, *ANY_PORT, "--tls-cert", cert, "--tls-key", key)
    assert serving.http.startswith("https://127.0.0.1:")
    with Client(serving.http, keys, ca_file=str(cert)) as client:
        assert client.call("account/get-account")
    with Client(serving.http, keys) as client, pytest.raises(Unreachable):
        client.call("account/get-account")
    with Client(serving.http.replace("https", "http"), keys) as client, pytest.raises(Unreachable):
        client.call("account/get-account")
    with smtplib.SMTP(*serving.smtp, timeout=PATIENCE) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=str(cert)))
        assert smtp.sendmail("x@out.test", "u@corp.test", MESSAGE) == {}
    (file,) = (data / "maildir" / "new").iterdir()
    assert re.search(rb"^Received: from .* with ESMTPS id", file.read_bytes().replace(b"\n\t", b" "), re.MULTILINE)


def test_without_a_certificate_starttls_is_not_offered(data, serve):
    with smtplib.SMTP(*serve(data, *ANY_PORT).smtp, timeout=PATIENCE) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        with pytest.raises(smtplib.SMTPNotSupportedError):
            smtp.starttls()


# -------------------------------------------------------------------------------------------------------- next hop


class Sink:
    """What a mail server got, in an SMTP server of its own thread. `port` stays the same over a restart."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], bytes]] = []
        self.port = free_port()
        self._controller: Controller | None = None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.got.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 2.0.0 kept"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if address.startswith("gone@"):
            return "550 5.1.1 Moved away"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.stop()


def test_next_hop_gets_what_passes_and_its_answers_reach_the_sender(data, serve, sink):
    sink.start()
    serving = serve(data, *ANY_PORT, "--next-hop", f"127.0.0.1:{sink.port}")
    with smtplib.SMTP(*serving.smtp, timeout=PATIENCE) as smtp:
        refused = smtp.sendmail("x@out.test", ["u@corp.test", "gone@corp.test"], MESSAGE)
    assert refused.keys() == {"gone@corp.test"}
    code, text = refused["gone@corp.test"]
    assert code == 550
    assert re.fullmatch(rb"5\.1\.1 Moved away \[[a-z2-7]{16}\]", text)
    ((sender, recipients, content),) = sink.got
    assert (sender, recipients) == ("x@out.test", ["u@corp.test"])
    assert content.startswith(b"Received: from ")
    assert b"\r\nX-Mailreeve-Spam-Checks: run\r\n" in content
    assert content.endswith(MESSAGE)
    assert not (data / "maildir").exists()


def test_next_hop_that_is_down_puts_mail_off_until_it_is_back(data, serve, sink):
    """4xx, so that the sender keeps the message; taken as soon as the next hop answers again."""
    serving = serve(data, *ANY_PORT, MAILREEVE_NEXT_HOP=f"127.0.0.1:{sink.port}")
    with smtplib.SMTP(*serving.smtp, timeout=PATIENCE) as smtp:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            smtp.sendmail("x@out.test", "u@corp.test", MESSAGE)
        code, text = refused.value.recipients["u@corp.test"]
        assert (code, text[:6]) == (451, b"4.4.1 ")
        sink.start()
        assert smtp.sendmail("x@out.test", "u@corp.test", MESSAGE) == {}
    assert [recipients for _, recipients, _ in sink.got] == [["u@corp.test"]]


# ---------------------------------------------------------------------------------------------- the other commands


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("--version",), 0),
        (("serve", "--help"), 0),
        (("nonsense",), 2),
        (("serve", "--nonsense"), 2),
        (("explain", "mail", "--from", "x@out.test"), 2),
        (("call", "account/get-account", "{"), 2),
        (("explain", "mail", "--data", "/absent", "--from", "x@out.test", "--to", "u@corp.test"), 1),
        (("call", "account/get-account", "--data", "/absent"), 1),
    ],
)
def test_exit_code_tells_done_from_not_done_from_not_understood(arguments, code):
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert bool(done.stdout) == (code == 0)
    assert bool(done.stderr) == (code != 0)
    assert "Traceback" not in done.stderr


def test_help_loads_neither_the_database_nor_the_server():
    """So that it is there at once."""
    program = (
        "import sys; from mailreeve.cli.main import main; main(['--help'], standalone_mode=False);"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert all(f"\n  {command} " in done.stdout for command in ("init", "serve", "explain", "call"))
    loaded = {name.partition(".")[0] for name in done.stderr.splitlines()}
    assert "click" in loaded
    assert loaded.isdisjoint({"sqlalchemy", "alembic", "uvicorn", "starlette", "cryptography", "argon2", "httpx2"})


def test_explanation_without_json_is_for_readers(data):
    """Verdict, reply and the winner's description, the same with nobody serving."""
    done = run("explain", "mail", "--data", data, "--from", "x@out.test", "--to", "y@out.test")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("From <x@out.test> to <y@out.test>: refused\n")
    assert "451 4.7.1 Open relay not allowed (at rcpt)" in done.stdout
    assert "Default: no open relay" in done.stdout
    done = run("explain", "web", "http://ex.test/a", "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ex.test/a: none\n")


def test_call_prints_the_answer_or_says_why_not(data, serve, initialised_folder):
    (data / "credentials.json").write_text(json.dumps(initialised_folder[1]))
    serving = serve(data, *ANY_PORT)
    done = run("call", "account/get-account", "--data", data, "--url", serving.http)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["accountCode"] == initialised_folder[1]["account_code"]
    item = '{"sender": "x", "to": "u@corp.test", "action": "block"}'
    done = run("call", "managedsender/permit-or-block-sender", item, "--data", data, MAILREEVE_URL=serving.http)
    assert (done.returncode, done.stdout) == (1, "")
    assert "err_validation_invalid_email_address in sender" in done.stderr
