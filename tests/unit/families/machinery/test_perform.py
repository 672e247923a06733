"""A request is carried out by a caller who may, item by item, in one transaction; or not at all."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.groups.errors import GROUP_NOT_FOUND
from mailreeve.families.machinery import perform
from mailreeve.families.machinery.call import Call
from mailreeve.families.registry import ENDPOINTS
from mailreeve.store.changes import Part
from mailreeve.store.transactions import Origin
from mailreeve.wire import envelope, misspelt
from mailreeve.wire.endpoint import Admission, Endpoint, endpoint
from mailreeve.wire.envelope import Request
from mailreeve.wire.errors import FORBIDDEN, NULL, TOO_MANY_ITEMS, ItemRefused, RequestRefused, refused
from mailreeve.wire.pagination import Page, PageRequest, Shown

READ, EDIT = Permission.GATEWAY_POLICIES_READ, Permission.GATEWAY_POLICIES_EDIT


class Item(Struct, frozen=True):
    text: str
    password: str | None = None


class Answer(Struct, frozen=True):
    text: str


class Broken(Exception):
    """What an endpoint raises when it is broken."""


@endpoint("test/write", EDIT, writes=True, most=3)
def write(call: Call, item: Item) -> Answer:
    """Note a change, then refuse or break if the text says so."""
    call.work.changed(Part.WEB_LISTS, "create", "test", item.text)
    if item.text == "refuse":
        raise refused(GROUP_NOT_FOUND, "text")
    if item.text == "refuse all":
        raise RequestRefused(FORBIDDEN)
    if item.text == "break":
        raise Broken
    return Answer(item.text)


@endpoint("test/list", READ, EDIT)
def every(call: Call, item: Item) -> Page[Answer]:
    """Answer with a page of letters."""
    return Page([Answer(letter) for letter in item.text], len(item.text), 100, more=True)


@endpoint("test/open")
def unguarded(call: Call, item: Item) -> list[Answer]:
    """Answer with the revision that decisions saw when the call began."""
    return [Answer(str(call.policies.revision))]


def carry_out(account, what: Endpoint, *items: dict, may: tuple[Permission, ...] = (READ, EDIT), page=None):
    caller = msgspec.structs.replace(account.caller, permissions=frozenset(may))
    request = Request(list(items), page or PageRequest())
    ready = perform.ready(account.services, what, request, caller, Origin(caller.actor))
    return perform.carry_out(account.services, ready)


def revision(account) -> int:
    return account.policies().revision


@pytest.mark.parametrize(
    ("what", "may"), [(write, (READ,)), (write, ()), (every, (Permission.DIRECTORIES_GROUPS_READ,))]
)
def test_a_caller_without_permission_is_refused_with_its_name(account, what, may):
    """403, and the text names every permission that would do (D-37)."""
    with pytest.raises(RequestRefused) as caught:
        carry_out(account, what, {"text": "x"}, may=may)
    assert (caught.value.status, caught.value.problem.code) == (403, FORBIDDEN.code)
    assert all(permission in str(caught.value) for permission in what.permissions)
    assert revision(account) == 0


@pytest.mark.parametrize("may", [(READ,), (EDIT,)])
def test_one_of_the_permissions_is_enough(account, may):
    """And an endpoint that asks for none is open to every caller."""
    assert carry_out(account, every, {"text": "a"}, may=may).data == [Answer("a")]
    assert carry_out(account, unguarded, {"text": "a"}, may=()).data == [Answer("0")]


def test_permission_comes_before_everything_else(account):
    """A stranger learns nothing of limits and items."""
    with pytest.raises(RequestRefused, match="0002"):
        carry_out(account, write, *[{}] * 100, may=())


def test_a_request_holds_so_many_items(account):
    """And not one more; none is carried out then."""
    carry_out(account, write, *[{"text": "x"}] * 3)
    with pytest.raises(RequestRefused) as caught:
        carry_out(account, write, *[{"text": "x"}] * 4)
    assert (caught.value.status, caught.value.problem.code) == (400, TOO_MANY_ITEMS.code)
    assert revision(account) == 1


def test_each_item_succeeds_or_fails_alone(account):
    """In order; failures have the item as it came as `key`."""
    done = carry_out(account, write, {"text": "a"}, {"text": "refuse", "x": None}, {"text": "b"})
    assert done.data == [Answer("a"), Answer("b")]
    (failure,) = done.fail
    assert failure.key == {"text": "refuse", "x": None}
    assert [(p.code, p.field) for p in failure.errors] == [(GROUP_NOT_FOUND.code, "text")]
    assert done.shown is None


def test_an_item_in_bad_form_fails_alone(account):
    """As one that is refused by the endpoint."""
    done = carry_out(account, write, {"text": ""}, {}, {"text": "b"})
    assert done.data == [Answer("b")]
    assert [f.key for f in done.fail] == [{"text": ""}, {}]
    assert [p.code for p in done.fail[1].errors] == [NULL.code]


def test_passwords_are_not_echoed(account):
    """Whatever else is (api.md section 1.4)."""
    done = carry_out(account, write, {"text": "refuse", "password": "secret", "note": "n"})
    assert done.fail[0].key == {"text": "refuse", "password": "********", "note": "n"}


def test_secrets_are_echoed_neither_by_another_spelling_nor_in_lists(account):
    """At every depth, of items in bad form and of items that the endpoint refuses."""
    secrets = {"newPassword": "s3cr3t", "a": [{"client_secret": "s3cr3t"}, [{"Access-Token": ["s3cr3t"]}]]}
    for text in ("refuse", None):
        done = carry_out(account, write, {"text": text, **secrets})
        assert len(done.fail) == 1
        assert b"s3cr3t" not in msgspec.json.encode(done.fail)


def test_a_misspelt_member_is_told_whatever_becomes_of_its_item(account):
    """Named with the item, where there are several: one that is refused may lack what it nearly has."""
    done = carry_out(account, write, {"text": "a", "pasword": "x"})
    assert done.warnings == ['"pasword" is not known and was ignored; "password" is']
    done = carry_out(account, write, {"text": "refuse", "pasword": "x"}, {"text": "b", "passwrod": "x"})
    assert done.warnings == [
        '"data[0].pasword" is not known and was ignored; "password" is',
        '"data[1].passwrod" is not known and was ignored; "password" is',
    ]
    assert [len(done.data), len(done.fail)] == [1, 1]


def test_few_misspelt_members_are_told_of_a_whole_call(account):
    wrong = {f"{'p' * n}password": "x" for n in (2, 3)} | {"passwor": "x", "Passwords": "x"}
    done = carry_out(account, every, *[{"text": "a", **wrong}] * 100)
    assert 4 <= len(done.warnings) <= misspelt.MOST_WARNINGS


def test_one_request_takes_one_revision(account):
    """However many items it has; none when all were refused."""
    carry_out(account, write, {"text": "a"}, {"text": "b"}, {"text": "refuse"})
    assert revision(account) == 1
    carry_out(account, write, {"text": "refuse"})
    assert revision(account) == 1


@pytest.mark.parametrize(("text", "raised"), [("break", Broken), ("refuse all", RequestRefused)])
def test_a_request_that_breaks_leaves_nothing(account, text, raised):
    """Not even what its earlier items did."""
    with pytest.raises(raised):
        carry_out(account, write, {"text": "a"}, {"text": text}, {"text": "b"})
    assert revision(account) == 0


def test_an_item_that_is_nested_too_deep_refuses_the_request(account):
    """It is no slip of a client's; nothing is done."""
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(RequestRefused):
        carry_out(account, write, {"text": "a"}, {"text": "b", "deep": deep})
    assert revision(account) == 0


def test_the_page_shown_covers_all_items(account):
    """The number of rows in `data`, whatever the number of items."""
    done = carry_out(account, every, {"text": "abc"}, {"text": "de"}, page=PageRequest(3))
    assert (len(done.data), done.shown.page_size, done.shown.total_count) == (5, 5, 200)
    assert done.shown.next


def test_a_list_whose_items_were_all_refused_still_has_a_page_size(account):
    """A client indexes it without looking (clients.md)."""
    assert carry_out(account, every, {}).shown == Shown(0)


def test_a_call_sees_the_policies_as_they_were_when_it_began(account):
    """The newest of the moment."""
    carry_out(account, write, {"text": "a"})
    assert carry_out(account, unguarded, {"text": "x"}).data == [Answer("1")]


def test_a_reading_endpoint_that_changes_something_is_a_mistake_that_shows(account):
    """It would be neither kept nor audited."""

    @endpoint("test/wrong")
    def wrong(call: Call, item: Item) -> Answer:
        """Change something."""
        call.work.changed(None, "create", "test", "x")
        return Answer("x")

    with pytest.raises(AssertionError, match="reading transaction"):
        carry_out(account, wrong, {"text": "x"})


# The endpoints that there are.


def test_paths_are_unique():
    """A second one would hide the first."""
    paths = [declared.path for declared in ENDPOINTS]
    assert sorted(paths) == sorted(set(paths))


@pytest.mark.parametrize("declared", [e for e in ENDPOINTS if e.permissions], ids=lambda e: e.path)
def test_every_endpoint_refuses_a_caller_without_permissions(account, declared):
    """With 403, before it looks at anything."""
    caller = msgspec.structs.replace(account.caller, permissions=frozenset())
    with pytest.raises(RequestRefused) as caught:
        perform.ready(account.services, declared, envelope.decode(b""), caller, Origin("x"))
    assert caught.value.status == 403


CALLED = [one for one in ENDPOINTS if one.admits is not Admission.PASSWORD]
"""What keys can call: who gives a password is somebody."""


@pytest.mark.parametrize("declared", CALLED, ids=lambda e: e.path)
def test_every_endpoint_answers_an_empty_item(account, declared):
    """With rows or with a refusal that names what is missing; nothing breaks (clients.md, 2)."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    answer = account.answer(declared.path)
    assert answer["meta"]["status"] == 200
    assert ("pagination" in answer["meta"]) is declared.lists
    for failure in answer["fail"]:
        assert all(error["code"] and error["message"] for error in failure["errors"])


STRANGE = [
    None,
    True,
    7,
    -1,
    2**70,
    1.5,
    "",
    " ",
    "x" * 5000,
    "é\u202e",
    "' OR 1=1 --",
    [],
    {},
    [None],
    [[]],
    {"id": {}},
]


@pytest.mark.parametrize("declared", CALLED, ids=lambda e: e.path)
def test_no_value_of_any_member_breaks_an_endpoint(account, declared):
    """Each member of each item type, filled with each of many strange values, is taken or refused."""
    names = declared.item.__struct_encode_fields__
    for strange in STRANGE:
        for item in (dict.fromkeys(names, strange), *({name: strange} for name in names)):
            try:
                account.answer(declared.path, item)
            except RequestRefused as refusal:
                assert refusal.status == 400  # noqa: PT017 - any refusal but no other exception
            except ItemRefused:
                raise AssertionError("a refused item must be in fail") from None
