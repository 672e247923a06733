"""What clients in the wild send is understood: the published sample programs, and each known client's own form.

The two programs are those at the end of the vendor's pages, in words of our own: same headers, same body. The
forms are the rows of clients.md, "Signing and headers, client by client".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

GET_POLICY = "/api/policy/blockedsenders/get-policy"
DELETE_WEB = "/api/policy/webwhiteurl/delete-policy-with-targets"
GET_ACCOUNT = "/api/account/get-account"
FIND_GROUPS = "/api/directory/find-groups"
PERMIT = "/api/managedsender/permit-or-block-sender"
DEFAULT_POLICIES = 3  # of blocked senders, in every new account (behaviour.md D-14)


def sample_headers(keys: dict[str, str], uri: str) -> dict[str, str]:
    """The headers of both sample programs, in their spelling."""
    request_id = str(uuid.uuid4())
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S") + " UTC"
    data_to_sign = ":".join([date, request_id, uri, keys["app_key"]])
    secret = base64.b64decode(keys["secret_key"])
    # encodebytes ends its output in a line feed; the programs strip it.
    signature = base64.encodebytes(hmac.new(secret, data_to_sign.encode(), hashlib.sha1).digest()).rstrip()
    return {
        "Authorization": f"MC {keys['access_key']}:{signature.decode()}",
        "x-mc-app-id": keys["app_id"],
        "x-mc-date": date,
        "x-mc-req-id": request_id,
        "Content-Type": "application/json",
    }


def as_requests_posts(url: str, headers: dict[str, str], data: str) -> tuple[int, dict]:
    """`requests.post(url=…, headers=…, data=…)`: its own headers beside the given ones."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=30)
    own = {"User-Agent": "python-requests/2.32.3", "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}
    connection.request("POST", f"/{path}", data.encode(), own | {"Connection": "keep-alive"} | headers)
    answer = connection.getresponse()
    parsed = json.loads(answer.read())
    connection.close()
    return answer.status, parsed


def test_python_2_sample_lists_and_finds_blocked_sender_policies(server) -> None:
    """The get-policy page's Python 2 program: the payload goes out as `str(payload)`, not as JSON."""
    keys = server.credentials
    payload = {"data": []}
    status, everything = as_requests_posts(
        server.http + GET_POLICY, sample_headers(keys, GET_POLICY), str(payload)
    )
    assert (status, everything["meta"]["status"], everything["fail"]) == (200, 200, [])
    assert len(everything["data"]) >= DEFAULT_POLICIES
    wanted = everything["data"][0]["id"]
    payload = {"data": [{"id": wanted}]}
    status, one = as_requests_posts(server.http + GET_POLICY, sample_headers(keys, GET_POLICY), str(payload))
    assert (status, one["fail"]) == (200, [])
    assert [policy["id"] for policy in one["data"]] == [wanted]
    assert {"option", "id", "policy"} <= one["data"][0].keys()


def test_python_2_text_with_its_unicode_marks_is_read(server) -> None:
    """What Python 2 prints for text that came from JSON (clients.md, list 2)."""
    first = server.post(GET_POLICY).json()["data"][0]["id"]
    headers = sample_headers(server.credentials, GET_POLICY)
    body = "{u'data': [{u'id': u'" + first + "'}]}"
    status, answer = as_requests_posts(server.http + GET_POLICY, headers, body)
    assert (status, [p["id"] for p in answer["data"]]) == (200, [first])


def test_python_3_sample_deletes_a_web_list_and_is_answered_as_its_page_says(server) -> None:
    """The delete page's Python 3 program; the page documents the whole removed object as the answer."""
    with server.client() as client:
        made = client.call(
            "policy/webwhiteurl/create-policy-with-targets",
            {
                "description": "sample",
                "urls": [{"action": "block", "type": "domain", "value": "sample-program.test"}],
                "policies": [{"description": "all", "from": {"type": "everyone"}, "to": {"type": "everyone"}}],
            },
        )[0]
    payload = {"data": [{"id": made["id"]}]}
    headers = sample_headers(server.credentials, DELETE_WEB)
    status, answer = as_requests_posts(server.http + DELETE_WEB, headers, str(payload))
    assert (status, answer["meta"]["status"], answer["fail"]) == (200, 200, [])
    (gone,) = answer["data"]
    assert (gone["id"], gone["deleted"]) == (made["id"], True)
    assert gone["urls"] == made["urls"]
    assert gone["policies"][0]["id"] == made["policies"][0]["id"]
    assert {"id", "locations", "policy"} <= gone["policies"][0].keys()
    status, again = as_requests_posts(
        server.http + DELETE_WEB, sample_headers(server.credentials, DELETE_WEB), str(payload)
    )
    assert (status, again["data"]) == (200, [])
    assert again["fail"][0]["key"] == {"id": made["id"]}
    assert again["fail"][0]["errors"][0]["code"] == "err_policy_not_found"


def test_sample_with_its_placeholder_as_id_is_told_what_is_wrong(server) -> None:
    """Somebody runs the program as it is printed: the id is the word String (api.md section 1.6)."""
    headers = sample_headers(server.credentials, GET_POLICY)
    status, answer = as_requests_posts(server.http + GET_POLICY, headers, str({"data": [{"id": "String"}]}))
    assert (status, answer["data"]) == (200, [])
    assert [(e["code"], e["field"]) for e in answer["fail"][0]["errors"]] == [("xdk_failure", "id")]


# ------------------------------------------------------------------------------------------------ headers


def net_date() -> str:
    return format_datetime(datetime.now(UTC), usegmt=True)


def java_date() -> str:
    """The pattern `EEE, d MMM yyyy HH:mm:ss z`: the day without a leading zero."""
    now = datetime.now(UTC)
    return f"{now:%a}, {now.day} {now:%b %Y %H:%M:%S} UTC"


def zone_date() -> str:
    return format_datetime(datetime.now(timezone(timedelta(hours=2))))


def est_date() -> str:
    return datetime.now(timezone(timedelta(hours=-5))).strftime("%a, %d %b %Y %H:%M:%S EST")


@pytest.mark.parametrize("date", [net_date, java_date, zone_date, est_date])
def test_date_in_each_known_form_is_verified_by_its_literal_text(server, date: Callable[[], str]) -> None:
    """GMT from .NET, an unpadded day from Java, numeric zones, local zone names (api.md section 2.3)."""
    answer = server.request("POST", GET_POLICY, b"{}", server.signed(GET_POLICY, date=date()))
    assert (answer.status, answer.json()["fail"]) == (200, [])


HEADER_FORMS = {
    "demisto and rapid7: lower case": lambda h: {k.lower(): v for k, v in h.items()},
    "go: its own capitals": lambda h: {
        {"x-mc-app-id": "X-Mc-App-Id", "x-mc-date": "X-Mc-Date", "x-mc-req-id": "X-Mc-Req-Id"}.get(k, k): v
        for k, v in h.items()
    },
    "upper case": lambda h: {k.upper(): v for k, v in h.items()},
    "shuffled": lambda h: dict(reversed(h.items())),
    "powershell module: space after the colon": lambda h: (
        h | {"Authorization": h["Authorization"].replace(":", ": ")}
    ),
    "scheme in lower case": lambda h: h | {"Authorization": h["Authorization"].replace("MC ", "mc ")},
    "jupiterone: encodings, no Content-Type": lambda h: h | {"accept-encoding": "gzip, deflate, br"},
    "sample: Content-Type": lambda h: h | {"Content-Type": "application/json"},
    "wrong Content-Type": lambda h: h | {"Content-Type": "application/x-www-form-urlencoded"},
    "charset": lambda h: h | {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"},
    "veltrix: fetch": lambda h: h | {"accept-language": "*", "sec-fetch-mode": "cors", "User-Agent": "node"},
    "soar: request id beside": lambda h: h | {"x-request-id": str(uuid.uuid4())},
}


@pytest.mark.parametrize("form", HEADER_FORMS.values(), ids=HEADER_FORMS.keys())
def test_headers_in_each_known_form_are_read(server, form: Callable[[dict], dict]) -> None:
    """No Accept, User-Agent or Content-Type is needed, and names count in any case (clients.md, list 1)."""
    answer = server.request("POST", GET_POLICY, b'{"data": []}', form(server.signed(GET_POLICY)))
    assert (answer.status, answer.json()["meta"]["status"], answer.json()["fail"]) == (200, 200, [])
    assert answer.headers["content-type"] == "application/json"


def test_expect_100_continue_is_answered_before_the_body_is_sent(server) -> None:
    """.NET waits for it (clients.md)."""
    body = b'{"data": []}'
    head = [
        f"POST {GET_POLICY} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(body)}",
        "Expect: 100-continue",
    ]
    head += [f"{name}: {value}" for name, value in server.signed(GET_POLICY).items()]
    host, _, port = server.http.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        interim = connection.recv(4096)
        assert interim.startswith(b"HTTP/1.1 100 "), interim
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_identical_call_is_served_again(server) -> None:
    """One client's retry repeats id, date and signature (api.md section 2.3)."""
    headers = server.signed(GET_POLICY)
    assert [server.request("POST", GET_POLICY, b"{}", headers).status for _ in range(2)] == [200, 200]


# ------------------------------------------------------------------------------------------------ bodies

EVERYTHING = {
    "no body, no Content-Length (rapid7, terraform)": None,
    "empty body (google)": b"",
    "blanks": b" \r\n ",
    "empty object": b"{}",
    "empty list": b'{"data": []}',
    "one empty item (veltrix)": b'{"data":[{}]}',
    "meta without data (newest demisto)": b'{"meta": {"pagination": {"pageSize": 100}}}',
    "empty meta (gh-tking)": b'{"meta": {}, "data": []}',
    "null page token (soar)": b'{"meta": {"pagination": {"pageSize": 50, "pageToken": null}}, "data": []}',
    "empty page token": b'{"meta": {"pagination": {"pageToken": ""}}, "data": []}',
    "page_size (newest demisto)": b'{"meta": {"pagination": {"page_size": 50}}}',
    "page_size null (demisto)": b'{"meta": {"pagination": {"page_size": null, "pageSize": 100}}, "data": []}',
    "meta inside the item (rapid7 6)": b'{"data": [{"meta": {"pagination": {"pageSize": 100}}}]}',
    "pagination inside the item": b'{"data": [{"pagination": {"pageSize": 100}}]}',
    "unknown members": b'{"meta": {"requestId": "x"}, "data": [{"notes": "n", "loadContent": true}], "extra": 1}',
    "nulls": b'{"data": [{"id": null}]}',
    "blank": b'{"data": [{"id": ""}]}',
    "python dict": b"{'data': [{'id': None, 'admin': True, 'start': False}]}",
    "python dict with meta": b"{'meta': {'pagination': {'pageSize': 100, 'pageToken': None}}, 'data': []}",
    "byte order of a form (bsdkid's logout)": b"data=abc",
}


@pytest.mark.parametrize("body", EVERYTHING.values(), ids=EVERYTHING.keys())
def test_each_known_way_to_ask_for_everything_is_alike(server, body: bytes | None) -> None:
    """clients.md, list 2 and 4."""
    expected = server.post(GET_POLICY).json()["data"]
    answer = server.post(GET_POLICY, body)
    assert (answer.status, answer.json()["fail"]) == (200, [])
    assert answer.json()["data"] == expected
    assert answer.json()["meta"]["pagination"]["pageSize"] == len(expected)


@pytest.mark.parametrize(
    "meta",
    [
        b'"meta": {"pagination": {"pageSize": 2}}, "data": [{}]',
        b'"meta": {"pagination": {"pageSize": "2"}}',
        b'"meta": {"pagination": {"page_size": 2}}',
        b'"data": [{"meta": {"pagination": {"pageSize": 2}}}]',
    ],
)
def test_page_size_is_found_wherever_clients_put_it(server, meta: bytes) -> None:
    page = server.post(GET_POLICY, b"{" + meta + b"}").json()
    assert page["meta"]["pagination"]["pageSize"] == len(page["data"]) == 2
    following = json.dumps(
        {"meta": {"pagination": {"page_size": 2, "pageToken": page["meta"]["pagination"]["next"]}}}
    )
    rest = server.post(GET_POLICY, following.encode()).json()
    assert rest["data"]
    assert {p["id"] for p in rest["data"]}.isdisjoint(p["id"] for p in page["data"])


def test_next_is_absent_on_the_last_page(server) -> None:
    """One client turns a null into the token "None" and loops, another stops on nothing else (clients.md)."""
    pagination = server.post(GET_POLICY, b'{"meta": {"pagination": {"pageSize": 500}}}').json()["meta"][
        "pagination"
    ]
    assert "next" not in pagination


def test_get_account_with_no_body_and_no_content_type(server) -> None:
    """Rapid7, Google and JupiterOne test their connection so; Rapid7 needs `fail == []`."""
    answer = server.post(GET_ACCOUNT, None).json()
    assert (answer["meta"]["status"], answer["fail"]) == (200, [])
    assert answer["data"][0]["accountCode"] == server.credentials["account_code"]


def test_find_groups_with_an_empty_query_lists_all(server) -> None:
    answer = server.post(FIND_GROUPS, b'{"data": [{"query": "", "source": "cloud"}]}').json()
    assert {"Blocked Senders", "Permitted Senders"} <= {f["description"] for f in answer["data"][0]["folders"]}


def test_recorded_refusal_is_given_to_the_letter(server) -> None:
    """The one refusal of this endpoint that was recorded live (api.md section 1.4)."""
    item = {"sender": "bad_email", "to": server.credentials["admin"], "action": "block"}
    answer = server.post(PERMIT, json.dumps({"data": [item]}).encode()).json()
    problem = {
        "field": "sender",
        "code": "err_validation_invalid_email_address",
        "message": "Email address is not valid",
        "retryable": False,
    }
    assert answer == {"meta": {"status": 200}, "data": [], "fail": [{"key": item, "errors": [problem]}]}


def test_items_are_carried_out_each_by_itself_and_in_order(server) -> None:
    """Several items in one call (gh-tking): one fails, the others do not (api.md section 1.2)."""
    admin = server.credentials["admin"]
    items = [
        {"sender": "first@order.test", "to": admin, "action": "permit"},
        {"sender": "nonsense", "to": admin, "action": "permit"},
        {"sender": "second@order.test", "to": admin, "action": "block"},
    ]
    answer = server.post(PERMIT, json.dumps({"data": items}).encode()).json()
    assert [(row["sender"], row["type"]) for row in answer["data"]] == [
        ("first@order.test", "Permit"),
        ("second@order.test", "Block"),
    ]
    assert all(row["id"].startswith("MTOKEN:") for row in answer["data"])
    assert [entry["key"] for entry in answer["fail"]] == [items[1]]


def test_flat_python_dict_policy_with_text_booleans_round_trips(server) -> None:
    """Rapid7 5 and old Demisto: flat target members in a Python dict; booleans as text (api.md section 3.2.1)."""
    create = "/api/policy/blockedsenders/create-policy"
    body = (
        b"{'data': [{'option': 'block_sender', 'policy': {'description': 'flat', 'fromPart': 'both',"
        b" 'fromType': 'email_domain', 'fromValue': 'flat-form.test', 'toType': 'everyone', 'toValue': '',"
        b" 'bidirectional': 'True', 'enabled': True, 'comment': None}}]}"
    )
    made = server.post(create, body).json()
    assert made["fail"] == []
    policy = made["data"][0]["policy"]
    assert policy["from"] == {"type": "email_domain", "emailDomain": "flat-form.test"}
    assert (policy["fromType"], policy["fromValue"], policy["toType"]) == (
        "email_domain",
        "flat-form.test",
        "everyone",
    )
    assert "toValue" not in policy
    assert (policy["bidirectional"], policy["enabled"], policy["fromPart"]) == (True, True, "both")
    assert (policy["fromDate"], policy["toDate"]) == ("1900-01-01T00:00:00+0000", "2100-01-01T23:59:59+0000")
    assert policy["conditions"] == {}
    # Demisto updates through the create path, and deletes comparing the id.
    again = {"data": [{"id": made["data"][0]["id"], "option": "no_action", "policy": policy}]}
    updated = server.post(create, str(again).encode()).json()
    assert (updated["fail"], updated["data"][0]["id"]) == ([], made["data"][0]["id"])
    assert updated["data"][0]["policy"]["toEternal"] is True
    gone = server.post(
        "/api/policy/blockedsenders/delete-policy", json.dumps({"data": [{"id": made["data"][0]["id"]}]}).encode()
    ).json()
    assert gone["data"][0]["id"] == made["data"][0]["id"]


def test_addresses_alteration_policy_in_an_array_of_one(server) -> None:
    """The pages print `policy` as an array with text booleans; answers hold an object (api.md section 3.0.5)."""
    with server.client() as client:
        folder = client.address_alteration.create_set("array of one")
        row = client.call(
            "policy/address-alteration/create-policy",
            {
                "addressAlterationSetId": folder.id,
                "policy": [{"description": "p", "enabled": "true", "bidirectional": "False"}],
            },
        )[0]
        client.address_alteration.delete_policy(row["id"])
    assert row["policy"]["enabled"] is True
    assert row["policy"]["bidirectional"] is False
    assert "fromDate" not in row["policy"], "terraform wants the dates of an eternal policy absent here"


# ------------------------------------------------------------------------------------------------ access tokens


def token_request(server, form: str, headers: dict | None = None):
    content = {"Content-Type": "application/x-www-form-urlencoded"}
    return server.request("POST", "/oauth/token", form.encode(), content | (headers or {}))


def test_token_is_given_for_the_form_in_any_order_and_for_basic(server) -> None:
    """clients.md, list 9. gh-tking fails without `expires_in`."""
    client_id, secret = server.credentials["client_id"], server.credentials["client_secret"]
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    for answer in (
        token_request(server, f"grant_type=client_credentials&client_id={client_id}&client_secret={secret}"),
        token_request(
            server, f"client_secret={secret}&grant_type=client_credentials&client_id={client_id}&scope="
        ),
        token_request(server, "grant_type=client_credentials", {"Authorization": f"Basic {basic}"}),
    ):
        given = answer.json()
        assert (answer.status, given["token_type"], given["expires_in"], given["scope"]) == (
            200,
            "Bearer",
            1799,
            "",
        )
        called = server.request("POST", GET_ACCOUNT, None, {"Authorization": f"Bearer {given['access_token']}"})
        assert (called.status, called.json()["fail"]) == (200, [])


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Bearer a.b.c"])
def test_call_without_a_good_token_is_refused(server, authorization: str | None) -> None:
    """Rapid7 misses a refused client secret and goes on without the header (clients.md)."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = server.request("POST", GET_ACCOUNT, b"{}", headers)
    assert answer.status == 401
    assert answer.json()["meta"]["status"] == 401
    assert answer.json()["fail"]


def test_refused_client_secret_is_no_200(server) -> None:
    client_id = server.credentials["client_id"]
    answer = token_request(server, f"grant_type=client_credentials&client_id={client_id}&client_secret=wrong")
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
    assert answer.json()["fail"][0]["message"], "XSOAR reads fail[0].message after a token failure"


def test_typed_client_works_with_either_credentials(server) -> None:
    for client in (server.client(), server.oauth_client()):
        with client:
            entry = client.block_sender("typed@client.test", server.credentials["admin"])
            assert entry.type == "Block"
            assert len(list(client.blocked_senders.every(page_size=1))) >= DEFAULT_POLICIES
