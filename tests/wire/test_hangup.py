"""SIGHUP reloads and never ends the process; `call` reaches a server with a certificate of its own."""

from __future__ import annotations

import json
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailreeve.client import ApiError

pytestmark = pytest.mark.cold

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PATIENCE = 60  # seconds on a busy machine
NAME = "mx.corp.test"


def certify(cert: Path, key: Path, name: str = NAME) -> int:
    """A certificate for that name and its key; its serial number."""
    made = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(made.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(made, hashes.SHA256())
    )
    cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return signed.serial_number


def https_serial(live) -> int:
    host, _, port = live.http.removeprefix("https://").rpartition(":")
    pem = ssl.get_server_certificate((host, int(port)))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def starttls_serial(live) -> int:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with smtplib.SMTP(*live.smtp, timeout=PATIENCE) as smtp:
        smtp.starttls(context=context)
        return x509.load_der_x509_certificate(smtp.sock.getpeercert(binary_form=True)).serial_number


def until(told: Callable[[], bool], live) -> None:
    end = time.monotonic() + PATIENCE
    while not told():
        assert live.process.poll() is None, live.log()
        assert time.monotonic() < end, live.log()


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def test_a_new_certificate_is_used_by_both_doors(fresh_server, files):
    first = certify(*files)
    live = fresh_server("--tls-cert", str(files[0]), "--tls-key", str(files[1]))
    assert (https_serial(live), starttls_serial(live)) == (first, first)
    second = certify(*files)
    live.process.send_signal(signal.SIGHUP)
    until(lambda: "reloaded" in live.log(), live)
    assert (https_serial(live), starttls_serial(live)) == (second, second)


@pytest.mark.parametrize("broken", ["letter", "gone", "another's key"])
def test_a_broken_certificate_leaves_the_old_one(fresh_server, files, tmp_path, broken):
    first = certify(*files)
    live = fresh_server("--tls-cert", str(files[0]), "--tls-key", str(files[1]))
    if broken == "letter":
        files[0].write_text("Dear operator")
    elif broken == "gone":
        files[1].unlink()
    else:
        certify(tmp_path / "other.pem", files[1])
    live.process.send_signal(signal.SIGHUP)
    until(lambda: "nothing was reloaded" in live.log(), live)
    assert str(files[0]) in live.log()
    assert (https_serial(live), starttls_serial(live)) == (first, first)


def test_settings_are_reloaded_and_what_waits_for_a_restart_is_named(fresh_server):
    live = fresh_server()
    (live.data / "mailreeve.toml").write_text('delegates_per_user = 0\nmax_message = 1000\nlog_level = "debug"\n')
    live.process.send_signal(signal.SIGHUP)
    until(lambda: "wait for a restart" in live.log(), live)
    (line,) = [line for line in live.log().splitlines() if "wait for a restart" in line]
    assert "max_message" in line
    assert "log_level" in line
    assert "delegates_per_user" not in line
    with live.client() as client:
        client.call("user/create-user", {"emailAddress": "ann@corp.test"}, {"emailAddress": "bob@corp.test"})
        right = {"primaryAddress": "ann@corp.test", "delegateAddress": "bob@corp.test"}
        with pytest.raises(ApiError, match="limit"):
            client.call("user/add-delegate-user", right)
    (live.data / "mailreeve.toml").write_text("delegates_per_user = -1\n")
    live.process.send_signal(signal.SIGHUP)
    until(lambda: "nothing was reloaded" in live.log(), live)


def test_many_signals_end_nothing(fresh_server):
    """In the middle of a message, one upon another."""
    live = fresh_server()
    with smtplib.SMTP(*live.smtp, timeout=PATIENCE) as smtp:
        assert smtp.ehlo()[0] == 250
        smtp.mail("x@out.test")
        smtp.rcpt("u@corp.test")
        assert smtp.docmd("DATA")[0] == 354
        for _ in range(20):
            live.process.send_signal(signal.SIGHUP)
        smtp.send(b"Subject: hello\r\n\r\nhi\r\n")
        live.process.send_signal(signal.SIGHUP)
        assert smtp.docmd(".")[0] == 250
    until(lambda: "reloaded" in live.log(), live)
    assert len(list((live.maildir / "new").iterdir())) == 1


def test_signals_before_ready_and_while_it_ends_change_no_exit_code(fresh_server, tmp_path):
    live = fresh_server()
    data = live.data
    live.stop()
    process = subprocess.Popen(
        [MAILREEVE, "serve", "--data", data, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with closing(process.stdout), closing(process.stderr):
        # From the moment on in which the program itself runs, and not the interpreter that starts it.
        while not _ignores_hangup(process):
            assert process.poll() is None
        while not (select_line := _line(process)):
            process.send_signal(signal.SIGHUP)
        assert select_line.startswith("http ")
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            process.send_signal(signal.SIGHUP)
        assert process.returncode == 0, process.stderr.read()


def _line(process: subprocess.Popen[str]) -> str:
    import select

    ready, _, _ = select.select([process.stdout], [], [], 0.02)
    return process.stdout.readline() if ready else ""


def _ignores_hangup(process: subprocess.Popen[str]) -> bool:
    """Whether the process ignores or catches SIGHUP by now, as the system tells."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigIgn", "SigCgt"))]
    return any(mask & 1 for mask in masks)


# ------------------------------------------------------------------------------------------------------------ call


def call(live, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    (live.data / "credentials.json").write_text(json.dumps(live.credentials))
    return subprocess.run(
        [MAILREEVE, "call", "account/get-account", "--data", str(live.data), *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment,
    )  # fmt: skip


def test_call_trusts_a_certificate_that_it_is_given(fresh_server, files, tmp_path):
    """By option, variable or setting; by the name that is in it, since the server is reached by address."""
    certify(*files)
    live = fresh_server("--tls-cert", str(files[0]), "--tls-key", str(files[1]))
    done = call(live, "--url", live.http)
    assert done.returncode == 1
    assert "--ca" in done.stderr
    done = call(live, "--url", live.http, "--ca", files[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert call(live, "--url", live.http, MAILREEVE_CA=str(files[0])).returncode == 0
    (live.data / "mailreeve.toml").write_text(f'ca = "{files[0]}"\n')
    assert call(live, "--url", live.http).returncode == 0
    certify(tmp_path / "other.pem", tmp_path / "other.key")
    done = call(live, "--url", live.http, "--ca", tmp_path / "other.pem")
    assert done.returncode == 1
    assert "no safe connection" in done.stderr


def test_call_finds_and_trusts_the_server_of_its_own_folder(fresh_server, files):
    """With the certificate in the settings nothing needs to be said."""
    certify(*files)
    live = fresh_server("--tls-cert", str(files[0]), "--tls-key", str(files[1]))
    address = live.http.removeprefix("https://")
    (live.data / "mailreeve.toml").write_text(
        f'http = "{address}"\ntls_cert = "{files[0]}"\ntls_key = "{files[1]}"\n'
    )
    done = call(live)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["accountCode"] == live.credentials["account_code"]


@pytest.mark.parametrize("file", ["letter", "absent"])
def test_a_file_that_holds_no_certificates_is_named(fresh_server, tmp_path, file):
    live = fresh_server()
    (tmp_path / "letter").write_text("Dear operator")
    done = call(live, "--url", live.http.replace("http", "https"), "--ca", tmp_path / file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {tmp_path / file}")
    assert done.stderr.count("\n") == 1


def test_call_gives_whole_lists(fresh_server):
    """More members than a page holds."""
    live = fresh_server()
    with live.client() as client:
        group = client.call("directory/create-group", {"description": "Many"})[0]["id"]
        items = [{"id": group, "emailAddress": f"u{n}@out.test"} for n in range(1_201)]
        for start in range(0, len(items), 100):
            client.call("directory/add-group-member", *items[start : start + 100])
        assert len(client.call("directory/get-group-members", {"id": group})[0]["groupMembers"]) == 1_201
    (live.data / "credentials.json").write_text(json.dumps(live.credentials))
    item = json.dumps({"id": group})
    done = subprocess.run(
        [MAILREEVE, "call", "directory/get-group-members", item, "--data", live.data, "--url", live.http],
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert len(json.loads(done.stdout)[0]["groupMembers"]) == 1_201
    shutil.rmtree(live.maildir, ignore_errors=True)
