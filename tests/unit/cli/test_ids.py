"""An object is named at a terminal by the beginning of its id or by its name; what may mean several is refused."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.cli import ids
from mailreeve.cli.main import main
from mailreeve.client import Client

A, B, C = "abcdefgh" + "1" * 35, "abcdefgh" + "2" * 35, "--bcdefgh" + "3" * 34


@pytest.fixture
def api(folder):
    with Client(URL, None, transport=FolderApi(folder.opened.services, folder.account_id)) as client:
        yield client


def group(folder, name: str) -> str:
    return folder.call("directory/create-group", {"description": name})[0]["id"]


def refused(call, *arguments: object) -> str:
    with pytest.raises(click.ClickException) as caught:
        call(*arguments)
    return caught.value.format_message()


def test_the_beginning_of_an_id_or_a_name_in_any_case_is_enough(folder, api):
    known = [group(folder, name) for name in ("Partners", "Partners of old")]
    for id_, name in zip(known, ("partners", "PARTNERS of old"), strict=True):
        for text in (id_, ids.short(id_), id_[:10].lstrip("-"), name):
            assert ids.resolve(api, ids.GROUP, text) == id_
    assert ids.resolve_all(api, ids.GROUP, [known[1], "Partners", known[1]]) == [known[1], known[0], known[1]]


def test_what_is_none_is_said_with_the_option_and_the_value(folder, api):
    group(folder, "Partners")
    told = refused(ids.resolve, api, ids.GROUP, "Partner", "--group")
    assert told == "--group 'Partner': there is no such group: no id begins so, and none has that name"


def test_what_may_be_several_is_refused_with_what_it_may_be(folder, api):
    """Two groups may have one name below different groups: the ids tell them apart."""
    above = group(folder, "Above")
    first = group(folder, "Twice")
    second = folder.call("directory/create-group", {"description": "Twice", "parentId": above})[0]["id"]
    told = refused(ids.resolve, api, ids.GROUP, "twice")
    assert "may be any of" in told
    assert all(f"{ids.short(id_)} (Twice)" in told for id_ in (first, second))


def test_a_whole_id_is_used_without_a_look(api):
    assert ids.resolve(api, ids.GROUP, A) == A
    assert ids.resolve(api, ids.GROUP, "MTOKEN:" + A) == "MTOKEN:" + A


def test_sets_below_others_are_found(folder, api):
    path = "policy/address-alteration/create-address-alteration-set"
    above = folder.call(path, {"description": "Above"})[0]["id"]
    below = folder.call(path, {"description": "Below", "parentId": above})[0]["id"]
    assert ids.resolve(api, ids.ALTERATION_SET, ids.short(below)) == below


def test_ids_are_shown_by_as_much_as_tells_them_apart():
    assert ids.shortened([A, B, C]) == {A: "abcdefgh1", B: "abcdefgh2", C: "bcdefgh3"}
    assert ids.shortened([]) == {}
    assert ids.shortened([A, A]) == {A: "abcdefgh"}


def commands(group: click.Group, context: click.Context, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, with the words that call it."""
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, context, f"{before}{name} ")
        elif found is not None:
            yield f"{before}{name}", found


def test_an_id_that_begins_with_dashes_is_no_option():
    @click.command(cls=ids.IdCommand)
    @click.argument("given", nargs=-1)
    def command(given: tuple[str, ...]) -> None:
        click.echo(" ".join(given))

    from click.testing import CliRunner

    assert CliRunner().invoke(command, [C, A]).output.split() == [C, A]


def test_every_command_that_is_given_ids_takes_one_that_begins_with_a_dash():
    """All but those of credentials, which never begin so, and of decisions, which are letters and digits."""
    takes = {
        path: command
        for path, command in commands(main, click.Context(main))
        if any("ID" in (one.metavar or "") for one in command.params if isinstance(one, click.Argument))
    }
    others = {"admin set-role", "keys revoke", "keys rotate", "log show"}
    assert {path for path, command in takes.items() if not isinstance(command, ids.IdCommand)} == others


def test_a_kind_without_names_wants_letters_of_an_id(api):
    kind = ids.Listed("web policy", "policy/webwhiteurl/get-policy-with-targets")
    assert "at least the first 4" in refused(ids.resolve, api, kind, "abc")
    assert "letters, digits" in refused(ids.resolve, api, kind, "a b c d")
