"""A stored row that cannot be read stops nothing but itself, and is named wherever somebody looks."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.app.folder import open_initialised
from mailreeve.app.library import open_account
from mailreeve.app.settings import Settings
from mailreeve.families.machinery.perform import carry_out, ready
from mailreeve.families.registry import ENDPOINTS
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.policy.model.decisions import SpamChecks
from mailreeve.wire import envelope

BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}
LISTS = [
    ("policy/blockedsenders/get-policy", {}),
    ("policy/webwhiteurl/get-policy-with-targets", {}),
    ("policy/address-alteration/get-address-alteration-set", {}),
    ("policy/address-alteration/get-definition", {"routing": "inbound"}),
    ("policy/address-alteration/get-policy", {}),
    ("user/find-delegate-users", {"primaryAddress": "ann@corp.test"}),
    ("user/get-internal-users", {}),
    ("user/get-profile", {"emailAddress": "ann@corp.test"}),
    ("user/get-aliases", {"emailAddress": "ann@corp.test"}),
    ("user/get-attributes", {"emailAddress": "ann@corp.test"}),
    ("attribute/find-attribute-types", {}),
    ("directory/find-groups", {}),
    ("domain/get-internal-domain", {}),
    ("ext/explain-message", {"from": "x@shop.test", "to": "ann@corp.test", "sourceIp": "192.0.2.1"}),
    ("ext/explain-web", {"url": "https://bad.test/a", "user": "ann@corp.test"}),
    ("ext/lint-policies", {}),
    ("ext/replay-draft", {"draft": [{"call": "directory/create-group", "item": {"description": "P"}}]}),
]
TABLES = [
    "alteration_definition", "alteration_policy", "alteration_set", "application", "attribute_type",
    "attribute_value", "audit_event", "binding", "blocked_sender_policy", "delegate_right", "directory_group",
    "directory_group_member", "directory_group_use", "domain", "managed_sender", "message_outcome",
    "permitted_sender_policy", "user", "user_address", "web_entry", "web_policy", "web_target",
]  # fmt: skip
VALUES = ["garbage", '{"description": "half', "x" * 100_000, 1e300]


@pytest.fixture
def filled(folder):
    """A row in every table."""
    folder.call("user/create-user", *({"emailAddress": f"{name}@corp.test"} for name in ("ann", "bob")))
    folder.call("user/update-alias", {"aliasFor": "ann@corp.test", "alias": "a.n@corp.test"})
    folder.call("ext/create-role", {"name": "Watcher", "permissions": ["Account | Dashboard | Read"]})
    group = folder.call("directory/create-group", {"description": "Partners"})[0]["id"]
    folder.call("directory/add-group-member", {"id": group, "emailAddress": "x@shop.test"})
    folder.call("user/add-delegate-user", {"primaryAddress": "ann@corp.test", "delegateAddress": "bob@corp.test"})
    folder.call(
        "managedsender/permit-or-block-sender",
        {"sender": "y@shop.test", "to": "ann@corp.test", "action": "block"},
    )
    folder.block(
        "shop.test",
        conditions={"sourceIPs": ["192.0.2.0/24"]},
        fromDate="2026-01-01T00:00:00+0000",
    )
    folder.call(
        "policy/blockedsenders/create-policy",
        {
            "option": "block_sender",
            "policy": {
                "description": "group",
                "from": {"type": "profile_group", "groupId": group},
                "to": {"type": "internal_addresses"},
            },
        },
    )
    target = {"type": "everyone"}
    folder.call(
        "policy/webwhiteurl/create-policy-with-targets",
        {
            "description": "web",
            "policies": [{"policy": {"description": "p", "from": target, "to": target}}],
            "urls": [{"value": "bad.test", "action": "block", "type": "domain"}],
        },
    )
    set_id = folder.call("policy/address-alteration/create-address-alteration-set", {"description": "set"})[0][
        "id"
    ]
    folder.call(
        "policy/address-alteration/create-definition",
        {
            "folderId": set_id,
            "addressAlterations": [
                {
                    "addressType": "all",
                    "originalAddress": "ann@corp.test",
                    "newAddress": "bob@corp.test",
                    "routing": "inbound",
                }
            ],
        },
    )
    folder.call(
        "policy/address-alteration/create-policy",
        {"addressAlterationSetId": set_id, "policy": {"description": "alter", "from": target, "to": target}},
    )
    now = datetime.now(UTC).timestamp()
    outcome = Outcome(
        account_id=folder.account_id, decision_id="d" * 16, at=now, source_ip="192.0.2.1", sender="x@shop.test",
        effective_sender="x@shop.test", recipient="ann@corp.test", effective_recipient="ann@corp.test",
        header_from=None, subject="s", message_id="", size=0, state=State.REJECTED, stage=None, layer="", reply="",
        policy_id="", description="", revision=1, spam_checks=SpamChecks.RUN,
    )  # fmt: skip
    folder.opened.store.write(
        folder.account_id, Origin("test"), lambda work: tracking.add(work, [outcome, outcome])
    )
    with sqlite3.connect(folder.data / "mailreeve.db") as connection:
        connection.execute(
            "INSERT INTO attribute_type (account_id, id, name, folded, created_at) VALUES (?, ?, 'D', 'd', 0)",
            (folder.account_id, "a" * 32),
        )
        connection.execute(
            "INSERT INTO attribute_value (account_id, user_id, type_id, value)"
            " SELECT account_id, id, ?, 'sales' FROM user WHERE key = 'ann@corp.test'",
            ("a" * 32,),
        )
    connection.close()
    folder.opened.close()
    return folder


def spoil(data: Path, table: str, column: str, value: object) -> str:
    """Overwrite a column of the newest row; the row's key."""
    connection = sqlite3.connect(data / "mailreeve.db", isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        row = connection.execute(f'SELECT rowid, * FROM "{table}" ORDER BY rowid DESC').fetchone()  # noqa: S608
        connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (value, row["rowid"]))  # noqa: S608
    finally:
        connection.close()
    return str(row["id"]) if "id" in row.keys() else ""  # noqa: SIM118 - of a row


def everything(data: Path) -> tuple[list[str], str]:
    """The codes that all lists, an explanation, a replay and the linter answer, and what the linter says."""
    opened = open_initialised(data, Settings())
    try:
        account_id = opened.account_id(None)
        caller = Caller(account_id, "admin@corp.test", "app", frozenset(Permission))
        codes: list[str] = []
        said = ""
        for path, item in LISTS:
            request = envelope.decode(json.dumps({"data": [item]}).encode())
            done = carry_out(
                opened.services, ready(opened.services, BY_PATH[path], request, caller, Origin("admin@corp.test"))
            )
            codes += [problem.code for failure in done.fail for problem in failure.errors]
            answer = envelope.encode(done.data, done.fail, done.shown)
            if path == "ext/lint-policies":
                said = answer.decode()
        return codes, said
    finally:
        opened.close()


@pytest.mark.parametrize("table", TABLES)
def test_no_value_of_any_column_stops_anything_else(filled, tmp_path, table):
    """Every column of every table, with what no version of this program has written. References are left out: the
    database itself keeps them."""
    connection = sqlite3.connect(filled.data / "mailreeve.db")
    names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    columns = [name for name in names if not name.endswith("_id")]
    connection.close()
    for column in columns:
        for number, value in enumerate(VALUES):
            data = tmp_path / f"{column}{number}"
            shutil.copytree(filled.data, data)
            spoil(data, table, column, value)
            codes, _ = everything(data)
            wrong = [code for code in codes if code.startswith("err_validation")]
            assert not wrong, (column, value)
            shutil.rmtree(data)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("blocked_sender_policy", "document", "{"),
        ("blocked_sender_policy", "document", '{"description": "x"}'),
        ("blocked_sender_policy", "option", "banish"),
        ("permitted_sender_policy", "document", "null"),
        ("managed_sender", "action", "hate"),
        ("managed_sender", "recipient", "nobody"),
        ("managed_sender", "sender", ""),
        ("alteration_policy", "document", "{"),
        ("alteration_definition", "routing", "sideways"),
        ("alteration_definition", "address_type", "fax"),
        ("web_target", "document", "{"),
        ("web_entry", "action", "hate"),
        ("web_entry", "type", "planet"),
        ("user", "role", "King"),
        ("role", "permissions", "all"),
        ("user", "created_at", "yesterday"),
        ("domain", "inbound_type", "fax"),
        ("domain", "created_at", "yesterday"),
    ],
)
def test_a_row_that_is_left_out_is_named(filled, table, column, value):
    key = spoil(filled.data, table, column, value)
    result = filled.run("lint", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    found = [finding for finding in told["findings"] if finding["kind"] == "unreadable"]
    assert [finding["policies"][0]["description"] for finding in found] == [f"{table} {key}"]
    assert found[0]["level"] == "warning"
    assert f"key={key}" in result.stderr or key in result.stderr, "the log names it"
    assert filled.run("lint", "--strict").exit_code == 1
    assert "unreadable" in filled.run("lint", "--all").stdout
    opened = open_initialised(filled.data, Settings())
    opened.store.read(opened.account_id(None), lambda work: None)
    opened.services.follower.current(opened.account_id(None))
    lines = opened.store.unreadable.lines()
    opened.close()
    assert table in ("user", "role") or lines == [f"left out, cannot be read: {table} {key}"]


@pytest.mark.parametrize(
    "document",
    [
        {"source_ips": ["300.0.0.0/8"]},
        {"source_ips": ["192.0.2.0/24", "nonsense"]},
        {"source_ips": ["::/200"]},
        {"starts": "yesterday"},
        {"from_part": "envelope_of"},
        {"from_": {"type": "individual_email_address", "key": "nobody"}},
        {"to": {"type": "mars"}},
    ],
    ids=str,
)
def test_a_block_that_cannot_be_read_is_as_if_it_were_not_there(filled, document):
    """It blocks nobody, since whom it should block is not known; all others go on."""
    assert verdict(filled.data) == "reject"
    connection = sqlite3.connect(filled.data / "mailreeve.db")
    with connection:
        key, text = connection.execute(
            "SELECT id, document FROM blocked_sender_policy WHERE document LIKE '%192.0.2.0%'"
        ).fetchone()
        whole = json.dumps(json.loads(text) | document)
        connection.execute("UPDATE blocked_sender_policy SET document = ? WHERE id = ?", (whole, key))
    connection.close()
    assert verdict(filled.data) == "deliver"
    codes, said = everything(filled.data)
    assert codes == []
    assert f"blocked_sender_policy {key}" in said


def verdict(data: Path) -> str:
    with open_account(data) as account:
        return account.explain_message("z@shop.test", "bob@corp.test", source_ip="192.0.2.1").verdict


def test_a_row_that_was_mended_is_named_no_more(filled):
    spoil(filled.data, "blocked_sender_policy", "option", "banish")
    opened = open_initialised(filled.data, Settings())
    try:
        account_id = opened.account_id(None)
        opened.services.follower.current(account_id)
        assert len(opened.store.unreadable.of(account_id)) == 1
        spoil(filled.data, "blocked_sender_policy", "option", "block_sender")
        opened.services.follower.let_go()
        fresh = open_initialised(filled.data, Settings())
        fresh.services.follower.current(account_id)
        assert fresh.store.unreadable.lines() == []
        fresh.close()
    finally:
        opened.close()


def test_what_is_told_of_a_row_forges_no_line(filled, capsys):
    """Keys and reasons are data of somebody's: they come out in printable ASCII, cut."""
    spoil(filled.data, "managed_sender", "id", "x\nready\x1b[2J" + "y" * 1000)
    spoil(filled.data, "managed_sender", "action", "hate")
    opened = open_initialised(filled.data, Settings())
    try:
        opened.services.follower.current(opened.account_id(None))
        (line,) = opened.store.unreadable.lines()
    finally:
        opened.close()
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 300
