"""What is refused before an endpoint is asked: methods, paths, bodies, signatures; and how tokens are got."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from recorder import Recorder

PATH = "/api/account/get-account"
GROUPS = "/api/directory/find-groups"


def _once(r: Recorder) -> None:
    """Calls that are to be made once, or only as long as nothing changed."""
    path = "/api/directory/create-group"
    for title, key, name in (
        ("a call with a key", "one", "Once"),
        ("the same again", "one", "Once"),
        ("another with its key", "one", "Twice"),
        ("a key that is none", " ", "Once"),
    ):
        body = json.dumps({"data": [{"description": name}]}).encode()
        r.send(title, "POST", path, body, r.live.signed(path) | {"Idempotency-Key": key}, "admin")
    path = "/api/ext/create-key"
    body = json.dumps({"data": [{"name": "Once", "role": "Help Desk"}]}).encode()
    for title in ("keys with a key", "the same keys again"):
        r.send(title, "POST", path, body, r.live.signed(path) | {"Idempotency-Key": "two"}, "admin")
    path = "/api/directory/create-group"
    r.send("too late", "POST", path, b"{}", r.live.signed(path) | {"If-Match": '"1"'}, "admin")
    r.send("no revision", "POST", path, b"{}", r.live.signed(path) | {"If-Match": "soon"}, "admin")
    path = "/directory/cloud-gateway/v1/groups"
    r.send("a view with a key", "POST", path, b"{}", r.live.signed(path) | {"Idempotency-Key": "one"}, "admin")


def play(r: Recorder) -> None:
    r.send("alive", "GET", "/healthz", None, {})
    r.send("ready", "GET", "/readyz", None, {})
    r.send("the description", "GET", "/openapi.json", None, {})
    _methods_and_paths(r)
    _bodies(r)
    _paging(r)
    _signatures(r)
    _tokens(r)


def _methods_and_paths(r: Recorder) -> None:
    signed = r.live.signed
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
        r.send(f"{method} of an endpoint", method, PATH, None, signed(PATH), "admin")
    for path in (
        "/api/none/such",
        "/api/account/get-account/",
        "/api/account%2Fget-account",
        "/",
        "/login/logout",
    ):
        r.send("unknown path, signed", "POST", path, b"{}", signed(path), "admin")
        r.send("unknown path, not signed", "POST", path, b"{}", {})
    r.send("health with POST", "POST", "/healthz", b"", {})


def _bodies(r: Recorder) -> None:
    bodies = {
        "no body": None,
        "empty body": b"",
        "an empty object": b"{}",
        "no items": b'{"data":[]}',
        "an empty item": b'{"data":[{}]}',
        "an item without a list": b'{"data":{}}',
        "null data": b'{"data":null}',
        "a null item": b'{"data":[null]}',
        "data of numbers": b'{"data":[1]}',
        "data that is a text": b'{"data":"x"}',
        "no object": b"[]",
        "a number": b"1",
        "broken JSON": b'{"data":[',
        "no JSON": b"hello",
        "not UTF-8": b'{"data":[{"accountName":"\xff"}]}',
        "a byte order mark": b"\xef\xbb\xbf{}",
        "a Python dict": b"{'data': [{'accountName': None}]}",
        "a Python set": b"{'data': {1, 2}}",
        "a form": b"data=%7B%7D",
        "nested too deep": b'{"data":[' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"]}",
        "too large": b" " * 100001,
        "too many items": json.dumps({"data": [{}] * 501}).encode(),
        "a lone surrogate": b'{"data":[{"accountName":"\\ud800"}]}',
    }
    for title, body in bodies.items():
        # Of the largest bodies only the beginning is shown, by runs.
        r.send(title, "POST", PATH, body, r.live.signed(PATH), "admin")
    types = ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "nonsense"]
    for media_type in types:
        headers = r.live.signed(PATH) | {"Content-Type": media_type}
        r.send(f"Content-Type {media_type}", "POST", PATH, b'{"data":[]}', headers, "admin")


def _paging(r: Recorder) -> None:
    pages: dict[str, object] = {
        "pagination that is a text": "x",
        "a size that is a text": {"pageSize": "2"},
        "a size that is a word": {"pageSize": "two"},
        "a size below nothing": {"pageSize": -1},
        "a size above the most": {"pageSize": 1000},
        "a size with the other name": {"page_size": 1},
        "a token that is a number": {"pageToken": 1},
        "a token of nobody": {"pageToken": "MTAuNTA"},
        "an empty token": {"pageToken": ""},
    }
    for title, page in pages.items():
        body = json.dumps({"meta": {"pagination": page}, "data": []}).encode()
        r.send(title, "POST", GROUPS, body, r.live.signed(GROUPS), "admin")
    body = json.dumps({"meta": {"pagination": {"pageToken": "MTAuNTA"}}, "data": []}).encode()
    r.send("a token where there are no pages", "POST", PATH, body, r.live.signed(PATH), "admin")
    r.pages("the groups of an account", "directory/find-groups", {}, 2)


def _signatures(r: Recorder) -> None:
    signed = r.live.signed(PATH)
    for name in signed:
        r.send(f"without {name}", "POST", PATH, b"{}", {k: v for k, v in signed.items() if k != name})
    changed = {
        "another realm": {"Authorization": "Digest x"},
        "no signature": {"Authorization": signed["Authorization"].partition(":")[0]},
        "a wrong signature": {"Authorization": signed["Authorization"].partition(":")[0] + ":AAAA"},
        "an unknown access key": {"Authorization": "MC nobody:AAAA"},
        "an unknown application": {"x-mc-app-id": "nobody"},
        "a header that is too long": {"x-mc-req-id": "r" * 1025},
        "another request id": {"x-mc-req-id": "other"},
    }
    for title, headers in changed.items():
        r.send(title, "POST", PATH, b"{}", signed | headers)
    for title, shift in {"an hour ago": timedelta(hours=-1), "in an hour": timedelta(hours=1)}.items():
        date = (datetime.now(UTC) + shift).strftime("%a, %d %b %Y %H:%M:%S UTC")
        r.send(f"signed {title}", "POST", PATH, b"{}", r.live.signed(PATH, date=date))
    r.send("signed with no date", "POST", PATH, b"{}", r.live.signed(PATH, date="soon"))
    r.send("signed for another path", "POST", PATH, b"{}", r.live.signed(GROUPS))
    spaced = signed | {"Authorization": signed["Authorization"].replace(":", ": ")}
    r.send("a space after the colon", "POST", PATH, b"{}", spaced, "admin")
    for who in ("expired", "foreign", "no_role", "help_desk"):
        r.send(f"the keys of {who}", "POST", PATH, b"{}", r.live.signed(PATH, keys=r.keys[who]), who)
    r.send("large and not signed", "POST", PATH, b" " * 100001, {})


def _tokens(r: Recorder) -> None:
    keys = r.keys["admin"]
    client = {"client_id": keys["client_id"], "client_secret": keys["client_secret"]}
    grant = {"grant_type": "client_credentials"}
    basic = base64.b64encode(f"{keys['client_id']}:{keys['client_secret']}".encode()).decode()
    wrong = base64.b64encode(b"nobody:nothing").decode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    given = ""
    for title, body, headers in (
        ("a token by a form", urlencode(grant | client), form),
        ("a token by JSON", json.dumps(grant | client), {"Content-Type": "application/json"}),
        ("a token by Basic", urlencode(grant), form | {"Authorization": f"Basic {basic}"}),
        ("a token with a wrong secret", urlencode(grant | client | {"client_secret": "wrong"}), form),
        ("a token for nobody", urlencode(grant | client | {"client_id": "nobody"}), form),
        ("a token by wrong Basic", urlencode(grant), form | {"Authorization": f"Basic {wrong}"}),
        ("a token by broken Basic", urlencode(grant), form | {"Authorization": "Basic %%"}),
        ("a token without a grant", urlencode(client), form),
        ("a token of another grant", urlencode(client | {"grant_type": "password"}), form),
        ("a token of nothing", "", form),
        ("a token by broken JSON", "{", {}),
    ):
        shown = body.encode()
        answer = r.send(title, "POST", "/oauth/token", shown, headers)
        given = given or answer["access_token"]
    r.send("a token request by GET", "GET", "/oauth/token", None, {})
    r.send("a call with a token", "POST", PATH, b"{}", {"Authorization": f"Bearer {given}"}, "admin")
    r.send("a call with a wrong token", "POST", PATH, b"{}", {"Authorization": "Bearer nothing"})
    r.send("a call with a changed token", "POST", PATH, b"{}", {"Authorization": f"Bearer {given}x"})
    r.send(
        "what is not offered", "POST", "/api/ttp/remediation/create", b"{}", {"Authorization": f"Bearer {given}"}
    )
    r.send("an unknown path with a token", "POST", "/api/none/such", b"{}", {"Authorization": f"Bearer {given}"})
    _once(r)
