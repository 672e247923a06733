"""Clients that page through a list over real sockets, while it changes and over a restart of the server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from mailreeve.client import ApiError

GET = "policy/blockedsenders/get-policy"
CREATE = "policy/blockedsenders/create-policy"
DELETE = "policy/blockedsenders/delete-policy"
GROUPS = "directory/find-groups"

Body = Callable[[dict[str, object]], dict[str, object]]

SPELLED: dict[str, Body] = {
    "on top": lambda page: {"meta": {"pagination": page}},
    "on top, with an empty item": lambda page: {"meta": {"pagination": page}, "data": [{}]},
    "in the item": lambda page: {"data": [{"pagination": page}]},
    "in the item's meta": lambda page: {"data": [{"meta": {"pagination": page}}]},
    "with an underscore": lambda page: {
        "meta": {"pagination": {"page_size": page["pageSize"], "pageToken": page.get("pageToken")}}
    },
    "as text": lambda page: {"meta": {"pagination": page | {"pageSize": str(page["pageSize"])}}},
}
"""Where clients put the page, and how (clients.md, 4)."""


def create(client, *names: str) -> list[str]:
    """The ids of new policies with these descriptions."""
    items = [
        {
            "option": "no_action",
            "policy": {
                "description": name,
                "from": {"type": "email_domain", "emailDomain": f"{name}.test"},
                "to": {"type": "everyone"},
            },
        }
        for name in names
    ]
    return [row["id"] for row in client.call(CREATE, *items)]


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED.keys())
def test_a_script_that_deletes_what_each_page_holds_clears_the_list(server, spelled: Body) -> None:
    """However it asks for its pages."""
    with server.client() as client:
        create(client, *(f"purge{n}" for n in range(7)))
        page: dict[str, object] = {"pageSize": 2}
        while True:
            answer = server.post(f"/api/{GET}", json.dumps(spelled(page)).encode()).json()
            assert answer["fail"] == []
            for row in answer["data"]:
                if row["policy"]["description"].startswith("purge"):
                    client.call(DELETE, {"id": row["id"]})
            if "next" not in answer["meta"]["pagination"]:
                break
            page = {"pageSize": 2, "pageToken": answer["meta"]["pagination"]["next"]}
        left = [row["policy"]["description"] for row in client.call(GET)]
    assert not [name for name in left if name.startswith("purge")]


def test_a_token_holds_over_a_restart(fresh_server) -> None:
    """It is kept nowhere but in itself and the folder's key."""
    live = fresh_server()
    with live.client() as client:
        create(client, "one", "two", "three")
        first = client.send(GET, page_size=2)
        rows = client.call(GET)
    live.kill()
    live.start()
    with live.client() as client:
        assert client.call(GET, page_token=first.next_page, page_size=500) == rows[2:]


def test_a_token_of_another_account_tells_nothing(shared_server) -> None:
    """It is refused in the words that a made-up one is."""
    live = shared_server.live
    with live.client(shared_server.foreign) as theirs, live.client() as ours:
        token = theirs.send(GET, page_size=1).next_page
        refused = []
        for text in (token, "A" * len(token), "x", token[:-1]):
            with pytest.raises(ApiError) as caught:
                ours.send(GET, page_size=1, page_token=text)
            refused.append((caught.value.status, [(f.code, f.message, f.field) for f in caught.value.failures]))
        assert theirs.send(GET, page_token=token).failures == ()
    message = "pageToken is not one that this server gave to this account"
    assert refused == [(400, [("err_pagination_invalid", message, "pageToken")])] * 4


@pytest.mark.parametrize(
    ("path", "item", "words"),
    [
        (GROUPS, {}, "one of policy/blockedsenders/get-policy, not of directory/find-groups"),
        ("account/get-account", {}, "account/get-account gives no pages"),
        (CREATE, {}, "gives no pages"),
    ],
)
def test_a_token_of_another_function_is_refused(server, path: str, item: dict[str, object], words: str) -> None:
    """By its name."""
    with server.client() as client:
        token = client.send(GET, page_size=1).next_page
        with pytest.raises(ApiError, match="pageToken") as caught:
            client.send(path, item, page_token=token)
    assert words in caught.value.failures[0].message


def test_a_token_of_another_question_is_refused(server) -> None:
    """A search is a list of its own."""
    with server.client() as client:
        client.call("directory/create-group", {"description": "senders of another kind"})
        token = client.send(GROUPS, {"query": "senders"}, page_size=1).next_page
        with pytest.raises(ApiError, match="send the same data"):
            client.send(GROUPS, {"query": "sender"}, page_token=token)
        assert client.send(GROUPS, {"query": "senders"}, page_token=token).failures == ()


def test_what_stays_is_seen_once_while_others_write(server) -> None:
    """Two callers create and delete policies while a third one pages through them, again and again."""
    with server.client() as client:
        kept = create(client, *(f"kept{n}" for n in range(12)))
        done = threading.Event()
        broken: list[BaseException] = []

        def write(name: str) -> None:
            try:
                with server.client() as writer:
                    while not done.is_set():
                        for made in create(writer, f"{name}a", f"{name}b", f"{name}c"):
                            writer.call(DELETE, {"id": made})
            except BaseException as problem:
                broken.append(problem)
                raise

        writers = [threading.Thread(target=write, args=(f"writer{n}",)) for n in range(2)]
        for writer in writers:
            writer.start()
        try:
            for size in (1, 2, 3, 5, 500):
                ids = [row["id"] for row in client.every(GET, page_size=size)]
                assert len(ids) == len(set(ids))
                assert [key for key in ids if key in kept] == kept
        finally:
            done.set()
            for writer in writers:
                writer.join()
        assert broken == []
        for key in kept:
            client.call(DELETE, {"id": key})
