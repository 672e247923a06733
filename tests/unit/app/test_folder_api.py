"""The API of a folder without a server: what it answers, who is named, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mailreeve.app.folder import Opened, open_initialised
from mailreeve.app.folder_api import URL, FolderApi, local_caller
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import read
from mailreeve.client import ApiError, Client
from mailreeve.store.schema import audit_event


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    data = tmp_path / "data"
    initialise(data, ("corp.test",), None)
    found = open_initialised(data, read(data, {}, {}))
    yield found
    found.close()


@pytest.fixture
def api(opened: Opened) -> Iterator[Client]:
    with Client(URL, None, transport=FolderApi(opened.services, opened.account_id(None))) as found:
        yield found


def test_a_change_is_made_and_the_audit_log_names_who_was_at_the_command_line(
    api: Client, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    account_id = opened.account_id(None)
    with Client(URL, None, transport=FolderApi(opened.services, account_id)) as found:
        found.block_sender("x@bad.test", to="admin@corp.test")
    actors = opened.store.read(
        account_id,
        lambda work: work.execute(select(audit_event.c.actor).order_by(audit_event.c.id.desc())).first(),
    )
    assert actors == ("command line (ann)",)


def test_a_list_is_read_page_by_page(api: Client) -> None:
    made = [{"description": f"group {n}"} for n in range(7)]
    api.call("directory/create-group", *made)
    pages = [answer.data[0]["folders"] for answer in api.pages("directory/find-groups", page_size=4)]
    assert [len(page) for page in pages if isinstance(page, list)] == [4, 4, 2]


def test_a_refused_item_and_an_unknown_path_are_told_as_a_server_tells_them(api: Client) -> None:
    with pytest.raises(ApiError) as item:
        api.call("managedsender/permit-or-block-sender", {"sender": "x@bad.test", "to": "admin@corp.test"})
    assert [(failure.field, item.value.status) for failure in item.value.failures] == [("action", 200)]
    with pytest.raises(ApiError) as path:
        api.call("no/such/thing")
    assert path.value.status == 404


def test_a_user_without_a_name_is_named_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nameless)
    assert local_caller("a").actor == "command line (unknown)"
