"""The doctor says whether each thing is well and what to do, changes nothing, and fails where serving would."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mailreeve.app.doctor import folder_checks, listener_checks, next_hop_checks


def told(folder, name: str, *, well: bool | None = None) -> tuple[str, str]:
    """State and finding of the last check of this name; `well` says how the whole ended."""
    result = folder.run("doctor", "--json")
    answer = json.loads(result.stdout)
    assert answer["well"] is (result.exit_code == 0)
    if well is not None:
        assert answer["well"] is well, answer
    found = [check for check in answer["checks"] if check["name"] == name]
    assert found, answer
    worst = max(found, key=lambda check: ("ok", "warn", "fail").index(check["state"]))
    return worst["state"], worst["found"]


def configure(folder, **settings: object) -> None:
    base = {"http": "127.0.0.1:0", "smtp": "127.0.0.1:0", "hostname": "mx.corp.test"}
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in (base | settings).items())
    (folder.data / "mailreeve.toml").write_text("".join(lines))


@pytest.fixture
def well(folder):
    configure(folder)
    return folder


def test_a_sound_folder_is_well_and_nothing_is_changed(well):
    before = {path: path.read_bytes() for path in well.data.iterdir() if path.is_file()}
    result = well.run("doctor")
    assert result.exit_code == 0, result.stdout
    begun = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert {line.split()[0] for line in begun} == {"ok"}
    assert all(len(line) <= 80 or " " not in line.strip() for line in result.stdout.splitlines())
    assert {path: path.read_bytes() for path in well.data.iterdir() if path.is_file()} == before


def test_what_to_do_stands_below_in_the_same_column(well):
    (well.data / "secret.key").chmod(0o644)
    lines = well.run("doctor", columns=80).stdout.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("warn  modes"))
    assert lines[place] == "warn  modes        others can read secret.key"
    assert lines[place + 1].startswith(" " * 19 + "chmod")


def test_no_folder_is_all_that_is_said_of_none(well, tmp_path: Path):
    result = well.run("doctor", "--data", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert "not initialised" in result.stdout
    assert "\nok" not in result.stdout


@pytest.mark.parametrize(
    ("harm", "name", "expected"),
    [
        (lambda data: (data / "secret.key").unlink(), "key", "is missing"),
        (lambda data: (data / "secret.key").write_text("A" * 43 + "="), "key", "is not the key of this database"),
        (lambda data: (data / "mailreeve.toml").write_text("smpt = 1"), "settings", "there is no setting smpt"),
        (lambda data: (data / "mailreeve.toml").write_text('log_level = "x"'), "settings", "log_level"),
    ],
)
def test_what_keeps_a_server_from_starting_fails(well, harm, name, expected):
    harm(well.data)
    state, found = told(well, name, well=False)
    assert state == "fail"
    assert expected in found


@pytest.mark.parametrize(
    ("settings", "name", "state", "expected"),
    [
        ({"relay_networks": ["0.0.0.0/0"]}, "relay", "fail", "everybody may send"),
        ({"hostname": "mail"}, "hostname", "warn", "calls itself mail"),
        ({"workers": 64}, "workers", "warn", "64 on"),
        ({"http": "0.0.0.0:0"}, "http", "warn", "without TLS"),
        ({"metrics": "0.0.0.0:0"}, "metrics", "warn", "strangers"),
        ({"next_hop": "127.0.0.1:1"}, "next hop", "fail", "does not answer"),
        ({"smtp": "127.0.0.1:2599", "next_hop": "localhost:2599"}, "next hop", "fail", "mail would go round"),
        ({"tls_cert": "/none.pem", "tls_key": "/none.key"}, "certificate", "fail", "cannot be read"),
    ],
)
def test_settings_that_do_not_do(well, settings, name, state, expected):
    configure(well, **settings)
    found = told(well, name, well=state != "fail")
    assert found[0] == state
    assert expected in found[1]


def test_a_port_that_another_program_has(well):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure(well, smtp=f"127.0.0.1:{taken.getsockname()[1]}")
        assert told(well, "smtp", well=False)[1].endswith("is in use by another program")


def test_room_and_time_that_run_out(well, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder_checks, "FULL", 1 << 60)
    assert told(well, "disk", well=False)[0] == "fail"
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    state, found = told(well, "clock")
    assert (state, "in the future" in found) == ("fail", True)


def test_few_open_files(well, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listener_checks.resource, "getrlimit", lambda _: (256, 1024))
    assert told(well, "files", well=True) == ("warn", "1024 may be open")


@pytest.fixture
def certificate(tmp_path: Path):
    """`certificate(days)` writes a certificate for mx.corp.test that expires in so many days, and its key."""

    def write(days: float, name: str = "mx.corp.test") -> dict[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=100))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        (tmp_path / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / "k.pem").write_bytes(text)
        return {"tls_cert": str(tmp_path / "c.pem"), "tls_key": str(tmp_path / "k.pem")}

    return write


def test_the_certificates_dates_and_name_and_key(well, certificate, tmp_path: Path):
    configure(well, **certificate(90))
    assert told(well, "certificate", well=True)[0] == "ok"
    configure(well, **certificate(90, "other.test"))
    assert told(well, "certificate", well=True) == ("warn", "it is not for mx.corp.test, the setting hostname")
    configure(well, **certificate(3.5))
    assert told(well, "certificate", well=True)[1].startswith("it is valid for 3 days more")
    configure(well, **certificate(-1))
    assert told(well, "certificate", well=False)[1].startswith("it expired")
    key = (tmp_path / "k.pem").read_bytes()
    configure(well, **certificate(90))
    (tmp_path / "k.pem").write_bytes(key)
    assert told(well, "certificate", well=False)[1].endswith("is not its key")


class _Office:
    """A mail server that may refuse its postmaster, and notes what it is sent."""

    refuses = False
    received = 0

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.refuses:
            return "550 5.1.1 no postmaster here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.received += 1
        return "250 OK"


class _AnyPort(Controller):
    """On a free port, which it cannot call itself before anybody knows it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def office() -> Iterator[Controller]:
    controller = _AnyPort(_Office(), hostname="127.0.0.1", port=0)
    controller.start()
    yield controller
    controller.stop()


def test_the_next_hop_is_asked_and_sent_nothing(well, office: Controller):
    port = office.port
    configure(well, next_hop=f"127.0.0.1:{port}")
    expected = f"127.0.0.1:{port} takes mail for postmaster@corp.test, in the clear"
    assert told(well, "next hop", well=True) == ("ok", expected)
    configure(well, next_hop=f"127.0.0.1:{port}", next_hop_starttls="required")
    assert told(well, "next hop", well=False)[1].endswith("offers no STARTTLS, which is required")
    configure(well, next_hop=f"127.0.0.1:{port}")
    office.handler.refuses = True
    assert told(well, "next hop", well=True)[1].endswith("550 5.1.1 no postmaster here")
    assert office.handler.received == 0


def test_a_next_hop_that_never_comes_to_an_end_is_not_waited_for(well, monkeypatch: pytest.MonkeyPatch):
    """Each of its lines comes in time, and says that another follows."""
    monkeypatch.setattr(next_hop_checks, "IN_ALL", 0.5)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                while not over.wait(0.05):
                    connection.sendall(b"220-wait\r\n")

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        configure(well, next_hop=f"127.0.0.1:{server.getsockname()[1]}")
        state, found = told(well, "next hop", well=False)
        over.set()
        talking.join(10)
    assert (state, "does not answer as a mail server" in found) == ("fail", True)


def test_folder_of_the_milter_socket_has_to_be_there(folder, tmp_path: Path):
    configure(folder, milter=f"unix:{tmp_path}/none/milter.sock")
    assert told(folder, "milter", well=False) == ("fail", f"there is no folder {tmp_path}/none")
    configure(folder, milter=f"unix:{tmp_path}/milter.sock")
    assert told(folder, "milter", well=True)[0] == "ok"


def test_milter_door_that_anybody_may_reach_is_told_of(folder):
    configure(folder, milter="0.0.0.0:8891")
    assert told(folder, "milter") == ("warn", "strangers may reach it, and it believes whoever asks")
