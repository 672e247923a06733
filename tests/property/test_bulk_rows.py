"""Whatever rows of a kind are imported, what is exported of them is taken as it is: by the same account, which is
not changed, and by an empty one, which then exports the same text."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from effort import examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mailreeve.app.folder import opened_folder
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import read
from mailreeve.cli.objects.kinds import columns_of, folded, unfolded
from mailreeve.cli.objects.table_file import Format, csv_text, protected, rows, unprotected
from mailreeve.client import Client
from mailreeve.families.bulk.paths import joined, parts
from mailreeve.store.changes import revision_of

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\x0b\x0c", exclude_categories=("Cc", "Zl", "Zp")),
    max_size=12,
)
PROSE = st.text(
    st.sampled_from(" \n\t,;\"'=+-@/\\|aé😀=:") | st.characters(codec="utf-8", categories=("L", "N")), max_size=10
)
NAME = PROSE.filter(str.strip)
WORDS = st.sampled_from(["ann", "bob", "+cid", "=dan", "-eve", "'x", "o'hara", "a.b", "é"])
INTERNAL = st.builds(lambda word: f"{word}@corp.test", WORDS)
DOMAINS = st.sampled_from(["out.test", "bad.test", "bücher.example", "x-y.example.org"])
OUTSIDERS = st.builds(lambda word, domain: f"{word}@{domain}", WORDS, DOMAINS)
FLAG = st.sampled_from(["", "true", "false"])
TARGETS = (
    st.sampled_from(["everyone", "internal", "external", "free-mail", "group:Sales/EMEA", "group:A\\/B"])
    | OUTSIDERS
    | DOMAINS
    | INTERNAL
    | st.builds(lambda text: f"name:x{text}", PROSE.map(lambda text: text.replace("\n", "").replace("\t", "")))
    | st.builds(lambda text: f"attribute:a\\=b={text}", st.sampled_from(["red", " blue ", "=x"]))
)
DATES = st.sampled_from(["", "2090-01-01T00:00:00+0000", "2091-05-05T10:00:00Z", "2092-01-01"])

KINDS = {
    "users": st.fixed_dictionaries(
        {
            "address": INTERNAL,
            "name": PROSE.map(lambda text: text.replace("\n", " ").replace("\t", " ").strip()),
            "aliases": st.sampled_from(["", "a1@corp.test", "a2@corp.test +a3@corp.test"]),
            "locked": FLAG,
            "allowPop": FLAG,
            "archiveStartDate": DATES,
            "attribute:Site": PROSE.map(lambda text: text.replace("\n", " ").replace("\t", " ").strip()),
            "attribute:=x": st.sampled_from(["", "@y"]),
        }
    ),
    "groups": st.fixed_dictionaries({"group": st.lists(NAME, min_size=1, max_size=3).map(joined)}),
    "members": st.fixed_dictionaries(
        {
            "group": st.sampled_from(["Sales", "Sales/EMEA", "A\\/B"]),
            "address": OUTSIDERS | INTERNAL,
            "notes": PROSE,
            "until": DATES,
        }
    )
    | st.fixed_dictionaries({"group": st.just("Sales"), "domain": DOMAINS, "notes": PROSE}),
    "senders": st.fixed_dictionaries(
        {
            "to": INTERNAL,
            "sender": OUTSIDERS | DOMAINS,
            "action": st.sampled_from(["permit", "block"]),
            "reason": PROSE,
            "expires": st.sampled_from(["", "2090-01-01T00:00:00+0000"]),
        }
    ),
    "blocks": st.fixed_dictionaries(
        {
            "description": NAME,
            "option": st.sampled_from(["block_sender", "no_action"]),
            "from": TARGETS,
            "to": TARGETS,
            "fromPart": st.sampled_from(["", "envelope_from", "header_from", "both"]),
            "toDate": DATES,
            "sourceIPs": st.sampled_from(["", "192.0.2.1", "10.0.0.0/8 2001:db8::/32"]),
            "hostnames": st.sampled_from(["", "=a b"]),
            "override": FLAG,
            "bidirectional": FLAG,
            "enabled": FLAG,
            "comment": PROSE,
        }
    ),
    "web": st.fixed_dictionaries(
        {
            "policy": NAME,
            "type": st.just("domain"),
            "value": st.sampled_from(["a.test", "b.test", "C.test", "bücher.example"]),
            "action": st.sampled_from(["allow", "block"]),
            "for": st.sampled_from(["", "everyone", "ann@corp.test | group:Sales", "corp.test"]),
        }
    ),
    "delegates": st.fixed_dictionaries({"primary": INTERNAL, "delegate": INTERNAL}),
}
"""Rows of each kind, as somebody may write them: not each is one that is taken."""


class Account:
    """A fresh account, with what rows may name."""

    def __init__(self, opened) -> None:
        self.account_id = opened.account_id(None)
        self.services = opened.services
        self.api = Client(URL, None, transport=FolderApi(self.services, self.account_id))

    def take(self, kind: str, found: list[dict], *, all_of_them: bool = True) -> dict:
        """What came of an import."""
        item = {"rows": [folded(row) for row in found], "skipErrors": not all_of_them, "confirmReach": True}
        (answer,) = self.api.call(f"ext/import-{kind}", item)
        return answer

    def give(self, kind: str) -> list[dict]:
        """What is exported, page by page."""
        pages = self.api.pages(f"ext/export-{kind}", {}, page_size=3)
        found = [unfolded(row) for page in pages for row in page.data]
        return sorted(found, key=lambda row: row["group"]) if kind == "groups" else found

    def revision(self) -> int:
        """The account's."""
        return self.services.store.look_up(lambda connection: revision_of(connection, self.account_id))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with what rows of all kinds name."""
    data = tmp_path_factory.mktemp("bulk") / "data"
    initialise(data, ("corp.test",), None)
    with opened_folder(data, read(data, {}, {})) as opened:
        account = Account(opened)
        account.take("groups", [{"group": path} for path in ("Sales/EMEA", "A\\/B")])
        account.take("users", [{"address": f"{word}@corp.test"} for word in ("ann", "bob", "+cid", "a.b")])
        account.take("users", [{"address": "ann@corp.test", "attribute:a=b": "red"}])
    return data


@contextmanager
def fresh(made: Path) -> Iterator[Account]:
    """A copy of the account."""
    with tempfile.TemporaryDirectory() as place:
        data = shutil.copytree(made, Path(place) / "data")
        with opened_folder(data, read(data, {}, {})) as opened:
            yield Account(opened)


def text_of(kind: str, found: list[dict], written: Format) -> str:
    if written is Format.JSONL:
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in found)
    names = list(columns_of(kind).names)
    more = sorted({name for row in found for name in row if name not in names}, key=str.casefold)
    return "".join(csv_text([*names, *more], found))


def read_back(kind: str, text: str, written: Format) -> list[dict]:
    found = list(rows(io.BytesIO(text.encode()), written, columns_of(kind)))
    assert [row.problem for row in found if row.problem] == []
    return [dict(row.values) for row in found]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_exported_is_imported(made, kind):
    """In both formats."""

    @settings(max_examples=examples(5), deadline=None)
    @given(st.lists(KINDS[kind], min_size=1, max_size=8), st.sampled_from(Format))
    def every(found, written):
        with fresh(made) as one, fresh(made) as other:
            answer = one.take(kind, found, all_of_them=False)
            assume(answer["added"] + answer["changed"])
            exported = one.give(kind)
            text = text_of(kind, exported, written)
            again = read_back(kind, text, written)
            before = one.revision()
            back = one.take(kind, again)
            assert (back["added"], back["changed"], back["unchanged"]) == (0, 0, len(exported))
            assert one.revision() == before
            other.take(kind, again)
            assert text_of(kind, other.give(kind), written) == text

    every()


@given(st.lists(st.text(max_size=8).filter(bool), min_size=1, max_size=4))
def test_a_path_names_its_groups(names):
    """Whatever they are called."""
    assert parts(joined(names)) == names


@given(st.text(max_size=8))
def test_an_apostrophe_that_was_added_is_taken_away(text):
    """And none that was there."""
    assert unprotected(protected(text)) == text


@given(st.lists(st.fixed_dictionaries({"to": TEXT, "sender": PROSE, "action": st.just("x")}), max_size=4))
def test_a_csv_file_holds_what_was_written(found):
    """Quotes, line ends and blanks included; a cell of blanks alone says nothing."""
    text = "".join(csv_text(["to", "sender", "action"], found))
    wanted = [{name: cell for name, cell in row.items() if cell.strip()} for row in found]
    assert read_back("senders", text, Format.CSV) == wanted
