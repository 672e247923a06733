"""What is specific to HTTP: methods, headers, bodies, status codes (api.md sections 1 and 2; clients.md)."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
import structlog
from msgspec import Struct
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from starlette.types import Message, Scope

from mailreeve.access.permissions import Permission, Role
from mailreeve.api import app as app_module
from mailreeve.api.app import DRAINED, SLOW_WORKERS, SMALL_BODY, WORKERS, Api
from mailreeve.api.quota import Quota
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.directory.domains import operations as domains
from mailreeve.families.directory.groups.errors import GROUP_NOT_FOUND
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import passwords
from mailreeve.families.directory.users.endpoints import create_user
from mailreeve.families.login.authenticate import Authenticator
from mailreeve.families.login.issue import Keys, issue_application
from mailreeve.families.machinery.call import Call, Limits
from mailreeve.families.machinery.perform import Services
from mailreeve.families.registry import LOADERS
from mailreeve.formats.addresses import parse_address
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.follow import Follower
from mailreeve.store.schema import audit_event, metadata
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Origin, Store
from mailreeve.wire import signing
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import KEY_OCTETS, Ids

MAX_BODY = 2_000
PATH = "/api/test/echo"


class Item(Struct, frozen=True):
    text: str | None = None


class Answer(Struct, frozen=True):
    text: str


@endpoint("test/echo", Permission.GATEWAY_POLICIES_EDIT, writes=True)
def echo(call: Call, item: Item) -> Answer:
    """Answer with the text."""
    if item.text == "refuse":
        raise refused(GROUP_NOT_FOUND, "text")
    if item.text == "break":
        raise RuntimeError("secret of the place")
    if item.text == "locked":
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error"))
    call.work.changed(None, "create", "test", "x")
    if item.text == "unsayable":
        return Answer("\ud800")
    return Answer(item.text or "")


@endpoint("test/list", Permission.GATEWAY_POLICIES_READ)
def every(call: Call, item: Item) -> Page[Answer]:
    """Answer with a page."""
    letters = [Answer(letter) for letter in "abcde"][: call.page.size]
    return Page(letters, count=len(letters), total=5)


@endpoint("test/one", Permission.GATEWAY_POLICIES_READ, short="text")
def one(call: Call, item: Item) -> Answer:
    """Read something of the account, and say in which thread that was done."""
    assert call.work.execute(select(audit_event.c.id)).first() is not None
    if item.text == "policies":
        assert call.policies
    return Answer(str(threading.current_thread() is threading.main_thread()))


@endpoint("test/sync", Permission.SERVICES_DIRECTORY_SYNC_EDIT)
def sync(call: Call, item: Item) -> Answer:
    """Ask for more than the application may."""
    return Answer("")


class Reply(Struct):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:  # type: ignore[type-arg]
        return json.loads(self.body)  # type: ignore[no-any-return]

    @property
    def error(self) -> tuple[str, str]:
        """Code and text of the only error."""
        (failure,) = self.json["fail"]
        (error,) = failure.get("errors", [failure])
        return error["code"], error["message"]


class Service:
    """The application, called without a socket."""

    def __init__(self, folder: Path) -> None:
        self.engine = SqliteEngine(folder / "mailreeve.db")
        with self.engine.writing() as connection:
            metadata.create_all(connection)
        self.store = Store(self.engine)
        self.vault = vault = Vault(bytes(32))
        services = Services(
            self.store, Follower(self.store, LOADERS, ()), Ids(bytes(KEY_OCTETS)), Limits(), (), vault
        )
        self.now = 0.0
        self.api = Api(
            services,
            Authenticator(self.store, vault, bytes(32), 900),
            [echo, every, one, sync, create_user],
            quota=Quota(50, 5_000, lambda: self.now),
            strangers=Quota(10, 5_000, lambda: self.now),
            max_body=MAX_BODY,
        )
        self.asgi = self.api.asgi()
        self.account_id, code = accounts.new_identity()

        def found(work) -> Keys:  # type: ignore[no-untyped-def]
            accounts.create(work, code, "Corp", "admin@corp.test")
            domains.register(work, "corp.test")
            user_id = users.create_administrator(
                work, parse_address("admin@corp.test"), "correct horse battery", Role.SUPER_ADMINISTRATOR
            )
            self.keys_user = user_id
            return issue_application(work, vault, "Playbooks", Role.GATEWAY_ADMINISTRATOR, user_id)

        self.keys = self.store.write(self.account_id, Origin("test"), found)

    def become(self, role: Role) -> None:
        """Call with an application that may what the role may."""
        user = self.keys_user
        self.keys = self.store.write(
            self.account_id, Origin("test"), lambda work: issue_application(work, self.vault, "More", role, user)
        )

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Sequence[bytes] = b"",
        headers: dict[str, str] | Sequence[tuple[str, str]] | None = None,
        client: str = "192.0.2.7",
    ) -> Reply:
        """One request, its body in one or more pieces. Headers that come more than once are given as pairs."""
        reply = asyncio.run(self.ask(method, path, body, headers, client))
        # The limiter belongs to the loop that is gone; a server has one loop for life.
        self.api._workers = None
        return reply

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | Sequence[bytes] = b"",
        headers: dict[str, str] | Sequence[tuple[str, str]] | None = None,
        client: str = "192.0.2.7",
    ) -> Reply:
        """The same, for several at once."""
        pieces = [body] if isinstance(body, bytes) else list(body)
        reply = Reply(0, {}, b"")
        pairs = headers.items() if isinstance(headers, dict) else headers or ()
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in pairs],
            "client": (client, 5000),
            "server": ("127.0.0.1", 80),
        }

        async def messages() -> AsyncIterator[Message]:
            for number, piece in enumerate(pieces, 1):
                yield {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            yield {"type": "http.disconnect"}

        source = messages()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {n.decode().lower(): v.decode() for n, v in message["headers"]}
            else:
                reply.body += message.get("body", b"")

        await self.asgi(scope, source.__anext__, send)
        return reply

    def signed(self, path: str = PATH, at: datetime | None = None, **changed: str | None) -> dict[str, str]:
        """The headers of a signed call. `changed` replaces some (`x_mc_date`: `x-mc-date`); None removes them."""
        date = format_datetime(at or datetime.now(UTC), usegmt=True)
        secret = base64.b64decode(self.keys.secret_key)
        signature = signing.sign(secret, date, "req-1", path, self.keys.app_key)
        headers: dict[str, str | None] = {
            "authorization": f"MC {self.keys.access_key}:{signature}",
            "x-mc-app-id": self.keys.app_id,
            "x-mc-date": date,
            "x-mc-req-id": "req-1",
        }
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in headers.items() if value is not None}

    def call(
        self,
        body: bytes | Sequence[bytes] = b"",
        path: str = PATH,
        client: str = "192.0.2.7",
        **changed: str | None,
    ) -> Reply:
        """One signed call."""
        return self.request("POST", path, body, self.signed(path, **changed), client)

    def token(self) -> str:
        form = f"client_id={self.keys.client_id}&client_secret={self.keys.client_secret}"
        form += "&grant_type=client_credentials"
        return self.request("POST", "/oauth/token", form.encode()).json["access_token"]  # type: ignore[no-any-return]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.engine.dispose()


def text(value: str) -> bytes:
    return json.dumps({"data": [{"text": value}]}).encode()


# Calls that are served.


def test_a_signed_call_is_served(service: Service) -> None:
    """With the envelope and the headers of the live service: no charset, not to be stored (api.md section 1.1)."""
    reply = service.call(text("hello"))
    told = b'{"meta":{"status":200,"revision":%d},"data":[{"text":"hello"}],"fail":[]}'
    assert (reply.status, reply.body) == (200, told % json.loads(reply.body)["meta"]["revision"])
    assert reply.headers["content-type"] == "application/json"
    assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
    assert reply.headers["x-robots-tag"] == "noindex, nofollow"


@pytest.mark.parametrize("scheme", ["MC", "mc", "Mc"])
def test_the_realm_is_read_without_case_and_spaces_are_trimmed(service: Service, scheme: str) -> None:
    """One client puts a space after the colon (api.md section 2.2)."""
    _, _, credentials = service.signed()["authorization"].partition(" ")
    key, _, signature = credentials.partition(":")
    assert service.call(authorization=f"{scheme}  {key}: {signature} ").status == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
def test_the_content_type_does_not_matter(service: Service, kind: str | None) -> None:
    """Nor do Accept and User-Agent (clients.md, 1)."""
    assert service.call(text("x"), content_type=kind).json["data"] == [{"text": "x"}]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": []}', b"{'data': [{}]}", b"data=x"])
def test_no_body_is_an_empty_item(service: Service, body: bytes) -> None:
    """However it is spelled (clients.md, 2)."""
    assert service.call(body).json["data"] == [{"text": ""}]


def test_a_body_may_come_in_pieces(service: Service) -> None:
    """Split anywhere."""
    whole = text("pieces")
    assert service.call([whole[n : n + 1] for n in range(len(whole))]).json["data"] == [{"text": "pieces"}]


def test_lists_have_their_page(service: Service) -> None:
    """Asked for in the body, answered in `meta`."""
    reply = service.call(b'{"meta": {"pagination": {"pageSize": 2}}}', "/api/test/list")
    shown = reply.json["meta"]["pagination"]
    assert ([row["text"] for row in reply.json["data"]], shown["pageSize"], shown["totalCount"]) == (
        ["a", "b"],
        2,
        5,
    )


def test_a_refused_item_is_200(service: Service) -> None:
    """The outcome is in `fail` (api.md section 1.5)."""
    reply = service.call(text("refuse"))
    assert (reply.status, reply.json["meta"], reply.json["data"]) == (200, {"status": 200}, [])
    assert reply.json["fail"][0]["key"] == {"text": "refuse"}


def test_the_audit_log_has_the_callers_address_and_request_id(service: Service) -> None:
    """D-38."""
    service.call(text("x"), client="198.51.100.9")
    columns = (audit_event.c.actor, audit_event.c.source_ip, audit_event.c.request_id)
    query = select(*columns).where(audit_event.c.object_kind == "test")
    row = service.store.look_up(lambda connection: connection.execute(query).one())
    assert tuple(row) == ("admin@corp.test", "198.51.100.9", "req-1")


def test_writes_that_wait_for_each_other_share_a_commit(service: Service) -> None:
    """Each is answered for itself: what was refused, what broke, and who is not known."""
    texts = ["a", "refuse", "break", "b", "stranger", "c", "unsayable"]
    commits: list[None] = []
    event.listen(service.engine.sqlalchemy, "commit", lambda connection: commits.append(None))

    async def together() -> list[Reply]:
        with service.engine.undoing():
            calls = []
            for value in ["first", *texts]:
                headers = service.signed(x_mc_app_id="nobody" if value == "stranger" else service.keys.app_id)
                calls.append(asyncio.create_task(service.ask("POST", PATH, text(value), headers)))
            for _ in range(100):
                await asyncio.sleep(0)  # They come to where they wait.
            assert not any(call.done() for call in calls)
        return await asyncio.gather(*calls)

    replies = asyncio.run(together())
    assert len(commits) <= 2  # of the first, if it came alone, and of the others
    assert [reply.status for reply in replies] == [200, 200, 200, 500, 200, 200, 200, 500]
    assert replies[5].error[0] == "err_developer_key"
    answered = [row["text"] for reply in replies for row in reply.json["data"]]
    assert answered == ["first", "a", "b", "c"]
    assert replies[2].json["fail"][0]["key"] == {"text": "refuse"}
    query = select(audit_event.c.revision).where(audit_event.c.object_kind == "test").order_by(audit_event.c.id)
    revisions = service.store.look_up(lambda connection: list(connection.execute(query).scalars()))
    assert revisions == list(range(revisions[0], revisions[0] + 5))


def test_passwords_are_hashed_without_keeping_others_waiting(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More calls that hash than there are workers stand still, and other calls and readiness go on."""
    hashing, go_on = threading.Semaphore(0), threading.Event()

    def hashed(plain: str) -> str:
        hashing.release()
        assert go_on.wait(60)
        return "a hash"

    monkeypatch.setattr(passwords, "_hasher", SimpleNamespace(hash=hashed))
    service.become(Role.SUPER_ADMINISTRATOR)
    path = "/api/user/create-user"

    def create(number: int) -> Coroutine[None, None, Reply]:
        item = {"emailAddress": f"u{number}@corp.test", "password": "correct horse battery"}
        return service.ask("POST", path, json.dumps({"data": [item]}).encode(), service.signed(path))

    async def all_at_once() -> list[Reply]:
        calls = [asyncio.create_task(create(number)) for number in range(WORKERS + SLOW_WORKERS)]
        try:
            for _ in range(SLOW_WORKERS):
                assert await asyncio.to_thread(hashing.acquire, timeout=30)
            for _ in range(100):  # each of the others gets as far as it can
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                assert (await service.ask("POST", PATH, text("x"), service.signed())).status == 200
                assert (await service.ask("GET", "/readyz")).status == 200
            assert not hashing.acquire(blocking=False)
        finally:
            go_on.set()
            replies = await asyncio.gather(*calls)
        return replies

    assert [len(reply.json["data"]) for reply in asyncio.run(all_at_once())] == [1] * (WORKERS + SLOW_WORKERS)


# Calls that are refused.


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X"])
def test_only_post_calls_functions(service: Service, method: str) -> None:
    """405, which names the method that does (api.md section 1.1). A stranger is asked who it is, as at a path that
    is not there."""
    reply = service.request(method, PATH, b"", service.signed())
    assert (reply.status, reply.json["meta"]["status"], reply.headers["allow"]) == (405, 405, "POST")
    stranger = service.request(method, PATH)
    assert (stranger.status, stranger.error[0], "allow" in stranger.headers) == (
        401,
        "err_xdk_authorization_missing",
        False,
    )
    assert stranger.body == service.request(method, "/api/test/nothing").body


@pytest.mark.parametrize("path", ["*", "", "healthz", "//healthz", "/healthz/", "/HEALTHZ", "/oauth/token/"])
def test_whatever_the_path_is_strangers_get_one_answer(service: Service, path: str) -> None:
    for method in ("OPTIONS", "POST", "GET"):
        reply = service.request(method, path)
        assert (reply.status, reply.body) == (401, service.request("POST", PATH).body)


@pytest.mark.parametrize(
    "host", ["x/api/test/list?", "x?", "x#", "[", "x@y", "\x00", "é", "x/api/test/list", "evil:99999"]
)
def test_the_host_has_no_say_in_the_path(service: Service, host: str) -> None:
    """What is signed and called is the path alone."""
    assert service.call(text("x"), host=host).json["data"] == [{"text": "x"}]


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("name", ["authorization", "x-mc-app-id", "x-mc-date", "x-mc-req-id"])
@pytest.mark.parametrize("first", [True, False])
def test_a_header_that_says_who_calls_comes_once(service: Service, name: str, same: bool, first: bool) -> None:
    """A proxy that reads the last one would see another caller than a server that reads the first."""
    good = service.signed()
    more = (name, good[name] if same else "Bearer x")
    headers = [more, *good.items()] if first else [*good.items(), more]
    reply = service.request("POST", PATH, text("x"), headers)
    assert (reply.status, reply.error[0]) == (401, "err_xdk_authorization_missing")
    assert f"{name} is there more than once" in reply.error[1].casefold()


def test_a_token_and_a_signature_are_one_too_many(service: Service) -> None:
    """In two headers; one that names both is neither. The x-mc headers beside a token are of no use, nor harm."""
    bearer = f"Bearer {service.token()}"
    signed = service.signed()
    reply = service.request("POST", PATH, b"", [("authorization", bearer), *signed.items()])
    assert (reply.status, reply.error[0]) == (401, "err_xdk_authorization_missing")
    both = signed | {"authorization": f"{bearer}, {signed['authorization']}"}
    assert service.request("POST", PATH, b"", both).status == 401
    assert service.request("POST", PATH, b"", signed | {"authorization": bearer}).status == 200


@pytest.mark.parametrize("req_id", ["\u00e9-1", "\U0001f600", "a:b", 'x" level=error'])
def test_a_request_id_is_signed_octet_for_octet(service: Service, req_id: str) -> None:
    """UTF-8 (api.md section 2.2), which a header carries as octets; the audit log has it as it was meant."""
    date = format_datetime(datetime.now(UTC), usegmt=True)
    secret = base64.b64decode(service.keys.secret_key)
    signature = signing.sign(secret, date, req_id, PATH, service.keys.app_key)
    sent = {"x_mc_date": f" {date}\t", "x_mc_req_id": req_id.encode().decode("latin-1")}
    reply = service.call(text("x"), authorization=f"MC {service.keys.access_key}:{signature}", **sent)
    assert reply.status == 200
    query = select(audit_event.c.request_id).where(audit_event.c.object_kind == "test")
    assert service.store.look_up(lambda connection: connection.execute(query).scalar_one()) == req_id


def test_a_header_that_is_no_text_is_refused(service: Service) -> None:
    """Octets that are no UTF-8 are signed like all others; as a date they are none."""
    for octets in ("\xe9", "\xff\xfe"):
        for name in ("x_mc_app_id", "x_mc_req_id", "x_mc_date", "authorization"):
            reply = service.call(b"", **{name: octets})
            assert reply.status in (401, 200), name
            assert reply.json["data"] == []


def test_what_breaks_before_anybody_is_known_is_told_like_the_rest(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At paths that are not there, with bodies that are not read yet, and where tokens are given."""

    def broken(*_: object) -> None:
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(service.store, "look_up", broken)
    form = b"grant_type=client_credentials&client_id=x&client_secret=y"
    for reply in (
        service.call(b"", "/api/test/nothing"),
        service.call(text("x"), content_length=str(SMALL_BODY + 1)),
        service.request("GET", PATH, b"", service.signed()),
        service.request("POST", "/oauth/token", form),
    ):
        assert (reply.status, reply.error[0]) == (500, "err_internal")
        assert "disk" not in reply.body.decode()


@pytest.mark.parametrize(
    "path", ["/api/test/nothing", "/api/test/echo/", "/api", "/", "/api/TEST/echo", "/test/echo"]
)
def test_other_paths_are_not_there(service: Service, path: str) -> None:
    """404 in the envelope for callers, 401 for strangers, who do not learn what there is."""
    reply = service.request("POST", path, b"", service.signed(path))
    assert (reply.status, reply.json["meta"]["status"], reply.error[0]) == (404, 404, "err_xdk_not_found")
    for method in ("POST", "GET"):
        reply = service.request(method, path)
        assert (reply.status, reply.error[0]) == (401, "err_xdk_authorization_missing")
        assert reply.json == service.request("POST", PATH).json


@pytest.mark.parametrize(
    "path",
    [
        "/api%2Ftest/echo",
        "/api/test%2fecho",
        "/api/test/ech%6F",
        "/%61pi/test/echo",
        "/oauth%2Ftoken",
        "/%68ealthz",
    ],
)
def test_a_path_is_taken_literally(service: Service, path: str) -> None:
    """What is signed is what is called: nothing is decoded into a path that is known."""
    reply = service.request("POST", path, b"", service.signed(path))
    assert (reply.status, reply.error[0]) == (404, "err_xdk_not_found")


@pytest.mark.parametrize(
    "authorization", [None, "", "MC", "MC ", "MC key", "Bearer", "Bearer ", "Basic YTpi", "Basic-Cloud YTpi", "x"]
)
def test_without_credentials_nothing_is_served(service: Service, authorization: str | None) -> None:
    """401; also for the client that goes on without an Authorization header (clients.md)."""
    reply = service.call(text("x"), authorization=authorization)
    assert (reply.status, reply.json["meta"]["status"]) == (401, 401)
    assert reply.error[0] == "err_xdk_authorization_missing"
    assert "cache-control" not in reply.headers


@pytest.mark.parametrize("name", ["x_mc_app_id", "x_mc_date", "x_mc_req_id"])
def test_a_missing_header_is_named(service: Service, name: str) -> None:
    """In the text."""
    reply = service.call(b"", **{name: None})
    assert (reply.status, name.replace("_", "-") in reply.error[1]) == (401, True)


def test_a_signature_for_another_path_does_not_do(service: Service) -> None:
    """The path is signed."""
    reply = service.request("POST", PATH, b"", service.signed("/api/test/list"))
    assert (reply.status, reply.error) == (401, ("err_xdk_invalid_signature", "0004 Invalid Signature"))


def test_an_old_call_is_refused(service: Service) -> None:
    """401, and it may be tried again."""
    reply = service.request("POST", PATH, b"", service.signed(at=datetime.now(UTC) - timedelta(hours=1)))
    assert (reply.status, reply.error[0]) == (401, "err_xdk_date_out_of_range")


def test_an_unknown_application_is_200(service: Service) -> None:
    """As recorded live: HTTP and function status 200, the code in `fail`."""
    reply = service.call(b"", x_mc_app_id="nobody")
    assert (reply.status, reply.json["meta"]["status"], reply.json["data"]) == (200, 200, [])
    assert reply.error == ("err_developer_key", "App ID is invalid: nobody")


def test_a_body_that_is_none_is_400(service: Service) -> None:
    """After authentication: a stranger is told of the missing credentials first."""
    reply = service.call(b"<xml/>")
    assert (reply.status, reply.error[0]) == (400, "err_deserialise")
    assert service.request("POST", PATH, b"<xml/>").status == 401


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("size", [MAX_BODY + 1, MAX_BODY * DRAINED, MAX_BODY * DRAINED * 10])
def test_a_body_that_is_too_large_is_413(service: Service, size: int, declared: bool) -> None:
    """Whether its length was declared or not."""
    extra = {"content_length": str(size)} if declared else {}
    reply = service.call([b" " * 1_000] * (size // 1_000) + [b" " * (size % 1_000)], **extra)
    assert (reply.status, reply.error[0]) == (413, "err_request_too_large")


def test_a_strangers_large_body_is_not_kept(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is calling is asked before a body that is large, or of unknown length, is read into memory."""

    async def kept(*_: object) -> bytes:
        raise AssertionError("the body was read into memory")

    monkeypatch.setattr(service.api, "_body", kept)
    for length in ({"content-length": str(SMALL_BODY + 1)}, {"transfer-encoding": "chunked"}):
        reply = service.request("POST", PATH, [b" " * 1_000] * 100, length)
        assert (reply.status, reply.error[0]) == (401, "err_xdk_authorization_missing")


def test_a_body_of_the_largest_size_is_taken(service: Service) -> None:
    """The limit itself is allowed."""
    assert service.call(text("x").ljust(MAX_BODY)).json["data"] == [{"text": "x"}]


def test_a_failure_of_ours_has_an_id_that_is_in_the_log_and_says_no_more(service: Service) -> None:
    """500, no traceback (design.md section 6)."""
    with structlog.testing.capture_logs() as logs:
        reply = service.call(text("break"))
    code, message = reply.error
    assert (reply.status, reply.json["meta"]["status"], code) == (500, 500, "err_internal")
    assert "secret of the place" not in reply.body.decode()
    (entry,) = (entry for entry in logs if entry["log_level"] == "error")
    assert entry["id"] in message
    assert str(entry["exc_info"]) == "secret of the place"


def test_a_database_that_fails_is_a_failure_of_ours(service: Service) -> None:
    """Of the same form, and may be tried again."""
    reply = service.call(text("locked"))
    assert reply.status in {500, 503}
    assert reply.json["fail"][0]["errors"][0]["retryable"] is True
    assert "disk I/O" not in reply.body.decode()


# Tokens.


def test_a_token_is_given_and_taken(service: Service) -> None:
    """As recorded; calls with it need no `x-mc-*` headers (api.md section 2.6)."""
    reply = service.request("POST", PATH, text("x"), {"authorization": f"Bearer {service.token()}"})
    assert (reply.status, reply.json["data"]) == (200, [{"text": "x"}])


def test_a_client_may_use_basic_authentication(service: Service) -> None:
    """A Terraform option; the answer has exactly the recorded members."""
    pair = base64.b64encode(f"{service.keys.client_id}:{service.keys.client_secret}".encode()).decode()
    reply = service.request(
        "POST", "/oauth/token", b"grant_type=client_credentials&scope=", {"authorization": f"Basic {pair}"}
    )
    shown = reply.json
    assert isinstance(shown.pop("access_token"), str)
    assert (reply.status, shown) == (200, {"token_type": "Bearer", "expires_in": 1799, "scope": ""})
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "headers", "status", "error"),
    [
        ("grant_type=client_credentials&client_id=x&client_secret=y", {}, 401, "invalid_client"),
        ("grant_type=client_credentials", {}, 401, "invalid_client"),
        ("grant_type=client_credentials", {"authorization": "Basic ???"}, 401, "invalid_client"),
        ("grant_type=client_credentials", {"authorization": "Basic /w=="}, 401, "invalid_client"),
        ("grant_type=password&client_id=x&client_secret=y", {}, 400, "unsupported_grant_type"),
        ("", {}, 400, "invalid_request"),
        ("client_id=x&client_secret=y", {}, 400, "invalid_request"),
        ("grant_type=&client_id=x&client_secret=y", {}, 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=x&client_id=y", {}, 400, "invalid_request"),
        ("x" * 70_000, {}, 400, "invalid_request"),
    ],
)
def test_a_token_is_not_given_for_less(
    service: Service, form: str, headers: dict[str, str], status: int, error: str
) -> None:
    """RFC 6749 section 5.2, beside the `fail` that clients read."""
    reply = service.request("POST", "/oauth/token", form.encode(), headers)
    assert (reply.status, reply.json["error"], reply.json["fail"][0]["code"]) == (status, error, error)


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_a_token_request_may_be_json(service: Service, content_type: str | None) -> None:
    """Whatever it is said to be: with the secret in it, or in Basic beside it."""
    keys = service.keys
    grant = {"grant_type": "client_credentials"}
    whole = grant | {"client_id": keys.client_id, "client_secret": keys.client_secret, "scope": None}
    headers = {} if content_type is None else {"content-type": content_type}
    pair = base64.b64encode(f"{keys.client_id}:{keys.client_secret}".encode()).decode()
    for body, more in ((whole, {}), (grant, {"authorization": f"Basic {pair}"})):
        reply = service.request("POST", "/oauth/token", json.dumps(body, indent=1).encode(), headers | more)
        assert (reply.status, reply.json["expires_in"]) == (200, 1799)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b'{"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}', 401, "invalid_client"),
        (b'{"grant_type": "client_credentials", "client_id": 1, "client_secret": []}', 401, "invalid_client"),
        (b'{"client_id": "x", "client_secret": "y"}', 400, "invalid_request"),
        (b'{"grant_type": "password", "client_id": "x"}', 400, "unsupported_grant_type"),
        (b'{"grant_type": ', 400, "invalid_request"),
        (b'[{"grant_type": "client_credentials"}]', 400, "invalid_request"),
        (b"[" * 60_000, 400, "invalid_request"),
        (b'{"grant_type": "\xff"}', 400, "invalid_request"),
    ],
)
def test_a_token_request_in_json_is_refused_as_a_form_is(
    service: Service, body: bytes, status: int, error: str
) -> None:
    reply = service.request("POST", "/oauth/token", body)
    assert (reply.status, reply.json["error"], reply.json["fail"][0]["code"]) == (status, error, error)


def test_a_bad_token_has_its_code_right_in_fail(service: Service) -> None:
    """Shape 3 of api.md section 1.4, which R7 and XS read."""
    reply = service.request("POST", PATH, b"", {"authorization": "Bearer nonsense"})
    assert (reply.status, reply.json["fail"][0]["code"]) == (401, "token_verification_failed")


def test_an_applications_role_limits_its_tokens_and_the_calls_signed_with_its_keys(service: Service) -> None:
    """403 with the permission named, though the user's role has it."""
    reply = service.request("POST", "/api/test/sync", b"", {"authorization": f"Bearer {service.token()}"})
    assert (reply.status, reply.error[0]) == (403, "err_xdk_forbidden")
    assert "Services | Directory Sync | Edit" in reply.error[1]
    reply = service.call(b"", "/api/test/sync")
    assert (reply.status, reply.error[0]) == (403, "err_xdk_forbidden")


# Quotas.


def limits(reply: Reply) -> tuple[int, int, int]:
    return tuple(int(reply.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))  # type: ignore[return-value]


def test_every_answer_carries_the_quota(service: Service) -> None:
    """Served, refused, broken, or not there at all; failed calls count too (api.md section 1.7)."""
    assert limits(service.call()) == (50, 49, 5_000)
    service.now = 1.707
    assert limits(service.call(text("break"))) == (50, 48, 3_293)
    assert limits(service.call(b"<xml/>")) == (50, 47, 3_293)
    for reply in (
        service.request("GET", PATH),
        service.call(b"", "/api/none"),
        service.call(b"", authorization="x"),
    ):
        assert limits(reply)[0] in {10, 50}


def test_too_many_calls_are_429_until_the_window_is_over(service: Service) -> None:
    """With Retry-After in seconds, rounded up; nothing is carried out."""
    for _ in range(50):
        assert service.call().status == 200
    service.now = 1.5
    reply = service.call()
    assert (reply.status, reply.error[0], limits(reply)) == (429, "err_rate_limit_exceeded", (50, 0, 3_500))
    assert reply.headers["retry-after"] == "4"
    assert reply.json["fail"][0]["errors"][0]["retryable"] is True
    service.now = 5.0
    assert service.call().status == 200


def test_strangers_may_guess_so_often(service: Service) -> None:
    """From one address; then the address waits, and others do not."""
    for _ in range(10):
        assert service.call(x_mc_app_id="guess").status == 200
    assert service.call(x_mc_app_id="guess").status == 429
    assert service.call(client="198.51.100.1").status == 200
    form = b"grant_type=client_credentials&client_id=x&client_secret=y"
    assert service.request("POST", "/oauth/token", form).status == 429
    service.now = 5.0
    assert service.call().status == 200


def test_guesses_at_the_token_endpoint_count_alike(service: Service) -> None:
    """With guesses at signatures."""
    form = b"grant_type=client_credentials&client_id=x&client_secret=y"
    for _ in range(10):
        assert service.request("POST", "/oauth/token", form).status == 401
    assert service.request("POST", "/oauth/token", form).status == 429
    assert service.call(x_mc_app_id="guess").status == 429


def test_guesses_do_not_lock_out_who_knows_the_keys(service: Service) -> None:
    """Others may be calling from the same address, through the same proxy."""
    for _ in range(20):
        service.call(x_mc_app_id="guess")
    assert service.call().status == 200


# The rest.


def test_health_and_readiness(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process lives; it can serve, or cannot when the database does not answer."""
    assert service.request("GET", "/healthz").status == 200
    assert service.request("GET", "/readyz").status == 200
    monkeypatch.setattr(service.store, "trouble", lambda: "gone")
    assert service.request("GET", "/readyz").status == 503
    assert service.request("GET", "/healthz").status == 200


def test_the_document_is_served(service: Service) -> None:
    """OpenAPI, as JSON."""
    reply = service.request("GET", "/openapi.json")
    assert reply.json["paths"].keys() == {PATH, "/api/test/list", ONE, "/api/test/sync", "/api/user/create-user"}
    assert reply.headers["content-type"] == "application/json"


def test_a_body_that_never_ends_is_given_up(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 after the time that a body may take."""
    monkeypatch.setattr(app_module, "BODY_TIME", 0.01)

    async def serve() -> int:
        status = 0

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        headers = [(n.encode(), v.encode()) for n, v in service.signed().items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": PATH,
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
        }
        scope |= {
            "headers": headers,
            "client": ("192.0.2.7", 1),
            "server": ("127.0.0.1", 80),
            "http_version": "1.1",
        }
        await service.asgi(scope, receive, send)
        return status

    assert asyncio.run(serve()) == 408


def test_a_client_that_hangs_up_half_way_changes_nothing(service: Service) -> None:
    """Half a body is none."""

    async def serve() -> None:
        pieces: list[Message] = [
            {"type": "http.request", "body": text("x"), "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return pieces.pop(0)

        async def send(message: Message) -> None:
            assert message.get("status", 408) == 408

        headers = [(n.encode(), v.encode()) for n, v in service.signed().items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": PATH,
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
        }
        scope |= {
            "headers": headers,
            "client": ("192.0.2.7", 1),
            "server": ("127.0.0.1", 80),
            "http_version": "1.1",
        }
        await service.asgi(scope, receive, send)

    asyncio.run(serve())
    query = select(audit_event.c.id).where(audit_event.c.object_kind == "test")
    assert service.store.look_up(lambda connection: connection.execute(query).all()) == []


# What is read in a moment (ADR 0038).

ONE = "/api/test/one"


def on_the_loop(service: Service, body: bytes, **changed: str | None) -> list[bool]:
    """For each item, whether it was done on the event loop."""
    reply = service.call(body, ONE, **changed)
    assert reply.status == 200, reply.body
    return [answer["text"] == "True" for answer in reply.json["data"]]


def test_a_few_things_by_their_keys_are_read_where_the_call_came_in(service: Service) -> None:
    """But for the first call, whose keys have to be looked up."""
    assert on_the_loop(service, text("a")) == [False]
    assert on_the_loop(service, text("a")) == [True]
    assert on_the_loop(service, json.dumps({"data": [{"text": "a"}] * 4}).encode()) == [True] * 4


@pytest.mark.parametrize(
    "body",
    [{"data": [{"text": "a"}] * 5}, {"data": [{"text": "a"}, {}]}, {"data": [{"text": "a", "b": "x" * 1024}]}],
    ids=["many", "of no key", "long"],
)
def test_all_else_is_read_in_a_worker(service: Service, body: dict[str, object]) -> None:
    on_the_loop(service, text("a"))
    assert True not in on_the_loop(service, json.dumps(body).encode())


def test_a_short_read_that_is_held_up_goes_to_a_worker(service: Service, tmp_path: Path) -> None:
    """Somebody else has the database to themselves until the call waits for it."""
    on_the_loop(service, text("a"))
    service.engine.dispose()  # A connection that has read shares the lock already.
    other = sqlite3.connect(tmp_path / "mailreeve.db", isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    in_worker = service.api._in_worker

    async def freed(work, *, slow=False):  # type: ignore[no-untyped-def]
        other.close()
        return await in_worker(work, slow=slow)

    service.api._in_worker = freed  # type: ignore[method-assign]
    counted = f"{service.account_id}/admin@corp.test"
    before = service.api._quota.look(counted).remaining
    assert on_the_loop(service, text("a")) == [False]
    assert service.api._quota.look(counted).remaining == before - 1


def test_a_short_read_looks_at_no_policy_set(service: Service) -> None:
    on_the_loop(service, text("a"))
    assert service.call(text("policies"), ONE).status == 500


def test_a_short_read_refuses_as_others_do(service: Service) -> None:
    on_the_loop(service, text("a"))
    wrong = service.call(text("a"), ONE, authorization=service.signed(ONE)["authorization"][:-4] + "AAA=")
    assert wrong.status == 401
    assert service.call(b'{"data": [{"text": 7}]}', ONE).json["fail"]
