"""One request in many forms: which of them is the call that was signed, and which is none.

By hand over a socket: no client sends most of these, but proxies and attackers do.
"""

from __future__ import annotations

import re
import socket

import pytest

PATH = "/api/account/get-account"
ODD_PATHS = [
    "/api//account/get-account",
    "//api/account/get-account",
    "//evil.test/api/account/get-account",
    "/api/./account/get-account",
    "/api/x/../account/get-account",
    "/%61pi/account/get-account",
    "/api%2faccount/get-account",
    "/API/account/get-account",
    f"{PATH}/",
    f"{PATH};a",
    f"{PATH}%00",
    f"{PATH}%3fa",
]


def ask(
    live,
    target: str | bytes = PATH,
    *lines: str,
    signed: str = PATH,
    method: str = "POST",
    version: str = "1.1",
    host: str | None = "x",
    length: int | None = 2,
    body: bytes = b"{}",
) -> tuple[int, bytes]:
    """The status and body of the answer to a request with these header lines besides those of a signed call. None
    leaves the `Host` or the `Content-Length` out."""
    target = target.encode() if isinstance(target, str) else target
    head = [method.encode() + b" " + target + f" HTTP/{version}".encode()]
    head += [f"Host: {host}".encode()] if host is not None else []
    head += [f"Content-Length: {length}".encode()] if length is not None else []
    head += [f"{name}: {value}".encode() for name, value in live.signed(signed).items()]
    head += [line.encode() for line in (*lines, "Connection: close")]
    address, _, port = live.http.removeprefix("http://").rpartition(":")
    with socket.create_connection((address, int(port)), timeout=30) as connection:
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    return int(found[1]), answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_another_spelling_of_the_path_is_another_path(server, path: str) -> None:
    """Signed as the function's it fails; signed as itself, there is nothing."""
    assert ask(server, path)[0] == 401
    assert ask(server, path, signed=path)[0] == 404


@pytest.mark.parametrize("more", ["?", "?a=b", "?a=%ff", "#x", f"?{PATH}", "?/../x"])
def test_what_follows_the_path_is_neither_signed_nor_read(server, more: str) -> None:
    assert ask(server, PATH + more)[0] == 200
    assert more == "?" or ask(server, PATH + more, signed=PATH + more)[0] == 401
    assert ask(server, f"/api/nothing{more}", signed="/api/nothing")[0] == 404


@pytest.mark.parametrize(
    "options",
    [
        {"target": f"http://x{PATH}"},
        {"target": f"http://evil.test{PATH}"},
        {"version": "1.0", "host": None},
        {"host": f"x{PATH}?"},
        {"host": "["},
        {"host": ""},
        {"lines": ["X-MORE: x", "Upgrade: websocket"]},
        {"lines": ["Expect: 100-continue"]},
        {"lines": ["Expect: teapot"]},
        {"length": None, "lines": ["Transfer-Encoding: chunked"], "body": b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n"},
        {"length": None, "body": b""},
    ],
    ids=str,
)
def test_forms_that_are_the_call(server, options: dict) -> None:
    lines = options.pop("lines", [])
    target = options.pop("target", PATH)
    status, body = ask(server, target, *lines, **options)
    assert (status, b'"accountCode"' in body) == (200, True)


@pytest.mark.parametrize(
    "options",
    [
        {"target": "*", "method": "OPTIONS"},
        {"method": "PROPFIND"},
        {"method": "PROPFIND", "target": "/healthz"},
        {"target": "http://x/healthz", "method": "POST"},
    ],
    ids=str,
)
def test_forms_that_call_nothing_are_told_in_the_envelope(server, options: dict) -> None:
    status, body = ask(server, **options)
    assert status in (401, 405)
    assert body.startswith(b'{"meta":{"status":')


@pytest.mark.parametrize(
    "options",
    [
        {"target": "x:80", "method": "CONNECT"},
        {"target": PATH[1:]},
        {"target": "/api/é"},
        {"target": b"/api/x?\xff"},
        {"lines": ["Content-Length: 2"]},
        {"lines": ["Content-Length: 5"]},
        {"lines": ["Transfer-Encoding: chunked"], "body": b"2\r\n{}\r\n0\r\n\r\n"},
        {"length": None, "lines": ["Transfer-Encoding: xchunked"]},
        {"length": None, "lines": ["Transfer-Encoding: chunked"], "body": b"zz\r\n{}\r\n0\r\n\r\n"},
        {"lines": ["X-Space : y"]},
        {"lines": ["X-Folded: y\r\n z"]},
    ],
    ids=str,
)
def test_forms_that_two_readers_could_read_differently_are_no_request(server, options: dict) -> None:
    lines = options.pop("lines", [])
    target = options.pop("target", PATH)
    assert ask(server, target, *lines, **options)[0] == 400


@pytest.mark.parametrize(
    "line",
    ["Authorization: Bearer x", "AUTHORIZATION: MC a:b", "x-mc-date: x", "X-MC-Req-Id: x", "x-mc-app-id: x"],
)
def test_a_second_header_that_says_who_calls_is_refused(server, line: str) -> None:
    status, body = ask(server, PATH, line)
    assert status == 401
    assert b"is there more than once" in body
