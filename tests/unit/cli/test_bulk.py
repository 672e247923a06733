"""`mailreeve import` and `export`: files of every kind and make, what is said, and that all or nothing is done."""

from __future__ import annotations

import json
import time

import pytest

from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.cli.objects import import_ as command
from mailreeve.cli.objects.table_file import MAX_LINE, protected, unprotected
from mailreeve.client import ApiError, Client
from mailreeve.families.bulk.kinds import KINDS
from mailreeve.families.directory.groups import operations as group_operations
from mailreeve.families.managed_senders import operations as managed_operations

FILES = {
    "users": "address,name,aliases,locked,attribute:Site\n"
    "ann@corp.test,Ann,a@corp.test a2@corp.test,,Oslo\nbob@corp.test,=Bob,,TRUE,\n",
    "groups": "group\nSales/EMEA\nA\\/B/C\n",
    "members": "group,address,domain,notes,until\nSales/EMEA,x@out.test,,a note,\n"
    "Sales/EMEA,,out.test,,2090-01-01T00:00:00+0000\n",
    "senders": "to,sender,action\nann@corp.test,+x@out.test,permit\nann@corp.test,bad.test,Block\n",
    "blocks": "description,option,from,to,fromPart,toDate,sourceIPs,enabled,comment\n"
    'One,block_sender,x@out.test,internal,header_from,2090-01-01T00:00:00+0000,192.0.2.1 10.0.0.0/8,no,"a\nb"\n'
    "Two,no_action,group:Sales/EMEA,attribute:Site=Oslo,,,,,\n"
    "Three,block_sender,name:The Chief,ann@corp.test,,,,,\n".replace(",no,", ",false,"),
    "web": "policy,type,value,action,for\nList,domain,bad.test,block,ann@corp.test | group:Sales\n"
    "List,url,http://x.test/a?b=1,allow,\nOther,domain,d.test,block,\n",
    "delegates": "primary,delegate\nann@corp.test,bob@corp.test\n",
}


@pytest.fixture
def files(tmp_path):
    for kind, text in FILES.items():
        (tmp_path / f"{kind}.csv").write_text(text, "utf-8")
    return tmp_path


def revision(folder) -> int:
    return folder.opened.services.store.read(folder.account_id, lambda work: folder_revision(work))


def folder_revision(work) -> int:
    from mailreeve.store.changes import revision_of

    return revision_of(work.connection, work.account_id)


def given(folder, run, tmp_path, kind: str, text: str | bytes, *options: str):
    octets = text if isinstance(text, bytes) else text.encode()
    file = tmp_path / ("given.jsonl" if octets[:1] in (b"{", b"[") else "given.csv")
    file.write_bytes(octets)
    return run("import", kind, str(file), *options)


def test_a_file_of_each_kind_goes_in_once_and_comes_out_as_it_would_go_in(folder, files, other):
    """The second import changes nothing and takes no revision; what is exported fills an empty account, which then
    exports the same text."""
    for kind in KINDS:
        done = folder.run("import", kind, str(files / f"{kind}.csv"))
        assert done.exit_code == 0, done.output
    for kind in KINDS:
        before = revision(folder)
        again = folder.run("import", kind, str(files / f"{kind}.csv"))
        assert (again.exit_code, revision(folder)) == (0, before), again.output
        assert " 0 added, 0 changed" in again.stdout
        for suffix in ("csv", "jsonl"):
            out = files / f"out-{kind}.{suffix}"
            assert folder.run("export", kind, str(out)).exit_code == 0
            back = folder.run("import", kind, str(out))
            assert (back.exit_code, revision(folder)) == (0, before), back.output
            assert " 0 added, 0 changed" in back.stdout
    for kind in KINDS:
        for suffix in ("jsonl", "csv"):
            out = files / f"out-{kind}.{suffix}"
            filled = other.run("import", kind, str(out))
            assert filled.exit_code == 0, filled.output
            assert other.run("export", kind, str(files / "theirs"), "--format", suffix).exit_code == 0
            assert (files / "theirs").read_text("utf-8") == out.read_text("utf-8"), kind


def test_where_a_row_is_refused_nothing_is_changed(folder, tmp_path):
    """Each is named by line, column and value; with --skip-errors the others are imported; a dry run only says."""
    text = "to,sender,action\nann@corp.test,a.test,block\nann@corp.test,b@,block\nann@else.test,c.test,block\n\n\n"
    before = revision(folder)
    done = given(folder, folder.run, tmp_path, "senders", text)
    assert (done.exit_code, revision(folder), done.stdout) == (1, before, "")
    assert 'line 3, sender "b@": Email address is not valid' in done.stderr
    assert 'line 4, to "ann@else.test"' in done.stderr
    assert "2 of 3 rows refused; nothing was changed" in done.stderr
    dry = given(folder, folder.run, tmp_path, "senders", text, "--dry-run", "--json")
    told = json.loads(dry.stdout)
    assert (dry.exit_code, revision(folder)) == (1, before)
    assert (told["added"], told["refusedCount"], told["dryRun"]) == (1, 2, True)
    assert told["refused"][0] | {"message": ""} == {
        "place": "line 3",
        "message": "",
        "code": "err_validation_invalid_email_address",
        "column": "sender",
        "value": "b@",
    }
    skipped = given(folder, folder.run, tmp_path, "senders", text, "--skip-errors")
    assert (skipped.exit_code, revision(folder)) == (1, before + 1)
    assert "1 added" in skipped.stdout


def test_what_a_row_wrote_before_it_was_refused_is_undone(folder, tmp_path):
    """The user of a row whose alias is refused is not there, and its neighbours are."""
    text = "address,aliases\nann@corp.test,\nbob@corp.test,b1@corp.test ann@corp.test\ncid@corp.test,c@corp.test\n"
    done = given(folder, folder.run, tmp_path, "users", text, "--skip-errors")
    assert "2 added" in done.stdout
    assert 'line 3, aliases "b1@corp.test ann@corp.test"' in done.stderr
    listed = folder.run("export", "users").stdout
    assert "bob@corp.test" not in listed
    assert "b1@corp.test" not in listed
    assert "c@corp.test" in listed


def test_an_import_that_breaks_off_leaves_nothing(folder, tmp_path, monkeypatch):
    """Whatever an exception in the middle is."""
    really = managed_operations.permit_or_block
    calls: list[int] = []

    def broken(*arguments):
        calls.append(1)
        if len(calls) == 50:
            raise RuntimeError("the lights went out")
        return really(*arguments)

    monkeypatch.setattr(managed_operations, "permit_or_block", broken)
    before = revision(folder)
    text = "to,sender,action\n" + "".join(f"ann@corp.test,s{n}.test,block\n" for n in range(100))
    with pytest.raises(RuntimeError):
        folder.run("import", "senders", str(_file(tmp_path, text)), catch=False)
    assert revision(folder) == before
    assert folder.run("export", "senders").stdout == "to,sender,action,reason,expires\n"


def test_a_larger_file_goes_in_parts_once_all_of_it_was_tried(folder, tmp_path, monkeypatch):
    """A revision for each; a row that is refused in the last keeps the first from being imported."""
    monkeypatch.setattr(command, "WHOLE", 10)
    monkeypatch.setattr(command, "CHUNK", 4)
    text = "to,sender,action\n" + "".join(f"ann@corp.test,s{n}.test,block\n" for n in range(11))
    before = revision(folder)
    bad = given(folder, folder.run, tmp_path, "senders", text + "ann@corp.test,no one,block\n")
    assert (bad.exit_code, revision(folder)) == (1, before)
    assert 'line 13, sender "no one"' in bad.stderr
    done = given(folder, folder.run, tmp_path, "senders", text)
    assert (done.exit_code, revision(folder)) == (0, before + 3)
    assert "11 added" in done.stdout
    skipped = given(
        folder, folder.run, tmp_path, "senders", text + "ann@corp.test,no one,block\n", "--skip-errors"
    )
    assert (skipped.exit_code, revision(folder)) == (1, before + 3)
    assert "0 added, 0 changed, 11 unchanged" in skipped.stdout


def test_rows_that_contradict_each_other_are_refused(folder, tmp_path):
    """Else every import of the file would change the object twice."""
    text = "to,sender,action\nann@corp.test,a.test,block\nann@corp.test,a.test,permit\n"
    done = given(folder, folder.run, tmp_path, "senders", text)
    assert "line 3: An earlier row says otherwise: line 2 is about the same object" in done.stderr
    web = "policy,type,value,action\nL,domain,a.test,block\nL,domain,A.test.,allow\nL,domain,a.test,block\n"
    done = given(folder, folder.run, tmp_path, "web", web)
    assert "line 3, action \"allow\": An earlier row says otherwise: line 2 has 'block'" in done.stderr
    assert "line 4" not in done.stderr


def test_a_block_of_everybody_is_to_be_confirmed(folder, tmp_path):
    """As with `call`."""
    text = "description,option,from,to\nAll,block_sender,everyone,everyone\n"
    done = given(folder, folder.run, tmp_path, "blocks", text)
    assert done.exit_code == 1
    assert "if that is meant, give --yes" in done.stderr
    assert given(folder, folder.run, tmp_path, "blocks", text, "--yes").exit_code == 0
    group = "group,domain\nBlocked Senders,corp.test\n"
    done = given(folder, folder.run, tmp_path, "members", group)
    assert (done.exit_code, "give --yes" in done.stderr) == (1, True)
    assert given(folder, folder.run, tmp_path, "members", group, "--yes").exit_code == 0


def test_a_policy_is_changed_where_the_rest_of_its_row_is(folder, tmp_path):
    """Description, from and to say which it is; what the row leaves out stays."""
    head = "description,option,from,to,sourceIPs,enabled\n"
    given(folder, folder.run, tmp_path, "blocks", head + "One,block_sender,a.test,internal,192.0.2.0/24,\n")
    done = given(folder, folder.run, tmp_path, "blocks", head + "One,block_sender,A.test,internal,,FALSE\n")
    assert "0 added, 1 changed" in done.stdout
    assert "192.0.2.0/24,,,false,false,false" in folder.run("export", "blocks").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no header"),
        ("\n\n", "there is no header"),
        ("to,sender\n", "line 1: the header lacks action"),
        ("to,sender,actoin\n", 'line 1: there is no column "actoin" (do you mean "action"?)'),
        ("to,sender,action,To\n", 'line 1: the column "to" is there twice'),
        (",".join(["x"] * 100_000), "line 1: 100,000 columns; at most 1,100 are allowed"),
        ("x" * (MAX_LINE + 1), "line 1 is longer than"),
        ("to,sender,action\na@corp.test,b\0.test,block\n", "line 2 holds a NUL"),
        (b"to,sender,action\nann@corp.test,b\xe4r.test,block\n", "line 2 is not UTF-8: octet 0xe4"),
        ("to,sender,action\n".encode("utf-16"), "line 1: the file is in UTF-16"),
        ('to,sender,action\nann@corp.test,"b.test,block\n', "line 2: unexpected end of data"),
        ('to,sender,action\nann@corp.test,"' + "x" * 140_000 + '",block\n', "line 2: field larger than"),
        ("to,sender,action\na@corp.test,b.test,block,more\n", "line 2: 4 cells, but the header names 3 columns"),
        ("to,sender,action\na@corp.test,b.test,refuse\n", 'line 2, action "refuse": Field must be one of'),
        ("to,sender,action\na@corp.test,,block\n", "line 2, sender: Field is required"),
        ("to,sender,action\na@corp.test," + "x" * 70_000 + ",block\n", "line 2, sender: the cell is longer than"),
        ("to,sender,action\na@corp.test," + "x" * 7_000 + ",block\n", "line 2, sender"),
        ('[{"to": "a@corp.test"}', "not JSON"),
        ('{"to": "a@corp.test", "sender": ["b.test"], "action": "block"}', "line 1, sender: neither a text"),
        ('{"to": "a@corp.test", "sender": "\\ud800", "action": "block"}', "line 1, sender: neither a text"),
        ('{"to": "a@corp.test", "sendr": "b.test"}\n{"x', 'line 1: there is no column "sendr"'),
        ('{"to": ' + "[" * 100_000, "line 1: not JSON"),
    ],
)
def test_what_is_no_such_table_is_named(folder, tmp_path, text, said):
    """Nothing is changed, whatever it is."""
    before = revision(folder)
    done = given(folder, folder.run, tmp_path, "senders", text)
    assert (done.exit_code, revision(folder)) == (1, before)
    assert said in done.stderr
    assert len(done.stderr) < 4_000


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffTo;Sender;ACTION\r\nann@corp.test;b.test;block\r\n;;\r\n\r\n",
        'sep=;\r\n"to";"sender";"action"\r\nann@corp.test;b.test;block',
        "to\tsender\taction\nann@corp.test\tb.test\tblock\n",
        " action , to , sender ,,\n block , ann@corp.test , b.test ,,\n",
        '{"to": "ann@corp.test", "sender": "b.test", "action": "block"}\n\n',
        '[{"to": "ann@corp.test", "sender": "b.test", "action": "block"}]',
    ],
)
def test_files_as_spreadsheets_and_programs_write_them(folder, text):
    """With a byte order mark, semicolons, tabs, other cases, blanks; from standard input as well."""
    done = folder.run("import", "senders", "-", text=text)
    assert (done.exit_code, done.stdout) == (0, "standard input: senders: 1 added, 0 changed, 0 unchanged\n")


def test_a_cell_that_would_be_a_formula_gets_an_apostrophe_that_an_import_takes_away():
    """And what begins with an apostrophe of its own keeps it."""
    for text in ("=1+1", "+a@x.test", "-x", "@x", "'", "''", "'=x", "'x", "x", "", "\tx", "it's"):
        assert unprotected(protected(text)) == text
        assert protected(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert unprotected("'x") == "'x"


def _file(folder, text: str):
    file = folder / "file.csv"
    file.write_text(text, "utf-8")
    return file


def test_a_membership_keeps_its_end_and_one_that_has_ended_is_in_no_export(folder, files):
    """Else a guest who was a member for a week would be one for good in the account that the file fills."""
    for kind in ("groups", "members"):
        assert folder.run("import", kind, str(files / f"{kind}.csv")).exit_code == 0
    assert "out.test,,2090-01-01T00:00:00+0000" in folder.run("export", "members").stdout
    again = given(folder, folder.run, files, "members", "group,domain\nSales/EMEA,out.test\n")
    assert " 0 added, 0 changed, 1 unchanged" in again.stdout
    assert "out.test,,2090-01-01T00:00:00+0000" in folder.run("export", "members").stdout
    past = given(folder, folder.run, files, "members", "group,domain,until\nSales/EMEA,y.test,2020-01-01\n")
    assert (past.exit_code, past.stderr.count('until "2020-01-01"')) == (1, 1)


def test_an_entry_keeps_its_end_where_a_row_says_nothing_of_it(folder, tmp_path):
    """And its reason; a row that says another changes both."""
    head = "to,sender,action,reason,expires\n"
    given(folder, folder.run, tmp_path, "senders", head + "ann@corp.test,a.test,block,spam,2090-01-01\n")
    again = given(folder, folder.run, tmp_path, "senders", "to,sender,action\nann@corp.test,a.test,block\n")
    assert "0 added, 0 changed, 1 unchanged" in again.stdout
    assert "ann@corp.test,a.test,block,spam,2090-01-01T00:00:00+0000" in folder.run("export", "senders").stdout
    changed = given(folder, folder.run, tmp_path, "senders", head + "ann@corp.test,a.test,block,no,2091-01-01\n")
    assert "1 changed" in changed.stdout
    past = given(folder, folder.run, tmp_path, "senders", head + "ann@corp.test,a.test,block,,2001-01-01\n")
    assert 'line 2, expires "2001-01-01"' in past.stderr


def test_a_membership_keeps_its_end_through_a_file_and_one_that_has_ended_is_not_exported(
    folder, other, tmp_path, monkeypatch
):
    """What was for a time would be for good otherwise in the account that takes the file."""
    head = "group,address,domain,notes,until\n"
    for one in (folder, other):
        given(one, one.run, tmp_path, "groups", "group\nSales\n")
    text = head + "Sales,pat@out.test,,,2090-01-01T00:00:00+0000\nSales,joe@out.test,,,\n"
    assert "2 added" in given(folder, folder.run, tmp_path, "members", text).stdout
    out = folder.run("export", "members").stdout
    assert out == text
    assert "2 added" in given(other, other.run, tmp_path, "members", out).stdout
    again = given(folder, folder.run, tmp_path, "members", "group,address\nSales,pat@out.test\n")
    assert "1 unchanged" in again.stdout
    assert folder.run("export", "members").stdout == text
    past = given(folder, folder.run, tmp_path, "members", head + "Sales,pat@out.test,,,2001-01-01\n")
    assert 'line 2, until "2001-01-01"' in past.stderr
    monkeypatch.setattr(group_operations, "has_ended", lambda row, now: row.until is not None)
    assert folder.run("export", "members").stdout == head + "Sales,joe@out.test,,,\n"


LONG = f"a{4_000 * ' '}b"


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("users", {"address": "ann@corp.test", "aliases": '"' + 32_000 * '\\"'}),
        (
            "web",
            {"policy": "One", "type": "domain", "value": "x.test", "action": "block", "for": f"a{4_000 * ' '}b"},
        ),
    ],
)
def test_a_cell_made_to_be_read_again_and_again_is_read_once(folder, kind, row):
    """Some hundreds of them are refused within seconds, not hours, for which others would wait to write."""
    began = time.process_time()
    api = Client(URL, None, transport=FolderApi(folder.opened.services, folder.account_id))
    with pytest.raises(ApiError):
        api.call(f"ext/import-{kind}", {"rows": [row] * 300})
    assert time.process_time() - began < 5
