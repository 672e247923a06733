"""Over TLS a connection takes its place when it stands: those that never finish the handshake are bounded too."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.responses import PlainTextResponse

from mailreeve.api import server
from mailreeve.api.server import HttpServer

PLACES = 3
HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a certificate for `localhost` and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(signed.public_bytes(pem) + private)
    return path


@pytest.fixture(params=["asyncio", "uvloop"])
def address(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[str, int]]:
    """Where a server listens that has few places for each network."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = PlainTextResponse("ok")
    http = HttpServer(app, tls_cert=str(certificate), tls_key=str(certificate), per_network=PLACES)
    options = {"use_uvloop": request.param == "uvloop"}
    thread = threading.Thread(target=lambda: anyio.run(http.serve, [listening], backend_options=options))
    thread.start()
    yield listening.getsockname()[:2]
    http.stop()
    thread.join(30)
    assert not thread.is_alive()


def secured(address: tuple[str, int]) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(address, timeout=30))


def closed(connection: socket.socket) -> bool:
    """Whether the server ends it. Waits for that."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def answered(connection: ssl.SSLSocket) -> bool:
    connection.sendall(ASK)
    answer = b""
    while not answer.endswith(b"ok"):
        piece = connection.recv(4096)
        if not piece:
            return False
        answer += piece
    return answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("opening", [b"", HALF_A_HELLO], ids=["silent", "half a hello"])
def test_a_handshake_that_never_ends_holds_a_place_until_another_comes(address, opening) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(PLACES + 2)]
        for connection in held[2:]:
            connection.sendall(opening)
        assert [closed(connection) for connection in held[:2]] == [True, True]
        asking = stack.enter_context(secured(address))
        assert closed(held[2])
        for _ in range(2):  # a place is good for more than one request
            assert answered(asking)
        held[3].settimeout(0)
        with pytest.raises(BlockingIOError):
            held[3].recv(1)


def test_what_comes_with_the_end_of_the_handshake_is_read(address) -> None:
    """And the place is given back: many one after the other are more than there are places."""
    for _ in range(2 * PLACES):
        with secured(address) as connection:
            assert answered(connection)


@pytest.mark.parametrize("nonsense", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 64])
def test_what_is_no_handshake_is_closed_and_gives_its_place_back(address, nonsense) -> None:
    for _ in range(2 * PLACES):
        with socket.create_connection(address, timeout=30) as connection:
            connection.sendall(nonsense)
            while not closed(connection):  # an alert may come first
                pass
    with secured(address) as connection:
        assert answered(connection)


def test_a_handshake_has_its_time(monkeypatch: pytest.MonkeyPatch, address) -> None:
    monkeypatch.setattr(server, "HEAD_TIME", 0.2)
    with socket.create_connection(address, timeout=30) as connection:
        assert closed(connection)
