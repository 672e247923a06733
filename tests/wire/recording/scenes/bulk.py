"""Imports and exports of every kind, through the API and by commands."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN

Rows = list[dict[str, object]]

KINDS = ("users", "groups", "members", "senders", "blocks", "web", "delegates")
BOB = "bob@corp.test"
ROWS: dict[str, Rows] = {
    "users": [
        {"address": ANN, "name": "Ann", "aliases": "a@corp.test", "attributes": {"Site": "Oslo"}},
        {"address": BOB, "locked": True},
    ],
    "groups": [{"group": "Sales/EMEA"}, {"group": "A\\/B"}],
    "members": [
        {"group": "Sales/EMEA", "address": "x@out.test", "notes": "a note"},
        {"group": "Sales/EMEA", "domain": "out.test"},
    ],
    "senders": [
        {"to": ANN, "sender": "+x@out.test", "action": "Permit"},
        {"to": ANN, "sender": "out.test", "action": "block"},
    ],
    "blocks": [
        {"description": "One", "option": "block_sender", "from": "out.test", "to": "group:Sales/EMEA"},
        {"description": "Two", "option": "no_action", "from": "name:Chief", "to": "attribute:Site=Oslo"},
    ],
    "web": [
        {"policy": "List", "type": "domain", "value": "bad.test", "action": "block", "for": ANN},
        {"policy": "List", "type": "url", "value": "http://x.test/a", "action": "allow"},
    ],
    "delegates": [{"primary": ANN, "delegate": BOB}],
}
CHANGED: dict[str, Rows] = {
    "users": [{"address": ANN, "name": "Anna", "attributes": {"Site": "Bergen"}}],
    "members": [{"group": "Sales/EMEA", "domain": "out.test", "notes": "another"}],
    "senders": [{"to": ANN, "sender": "out.test", "action": "permit"}],
    "blocks": [{"description": "One", "option": "no_action", "from": "out.test", "to": "group:Sales/EMEA"}],
    "web": [{"policy": "List", "type": "domain", "value": "BAD.test", "action": "allow", "for": "everyone"}],
}
BAD: dict[str, Rows] = {
    "users": [{"address": "x@else.test"}, {"address": "a@corp.test"}, {"address": BOB, "colour": "red"}, {}],
    "groups": [{"group": "a//b"}, {"group": "x" * 300}],
    "members": [{"group": "None"}, {"group": "Sales"}, {"group": "Sales", "domain": "com"}],
    "senders": [
        {"to": ANN, "sender": "no one", "action": "permit"},
        {"to": ANN, "sender": "y.test", "action": "block"},
        {"to": ANN, "sender": "y.test", "action": "permit"},
        {"to": ANN, "sender": "y.test", "action": "refuse"},
    ],
    "blocks": [
        {"description": "All", "option": "block_sender", "from": "everyone", "to": "everyone"},
        {"description": "x", "option": "block_sender", "from": "nobody", "to": "group:None", "sourceIPs": "x"},
    ],
    "web": [
        {"policy": "L", "type": "domain", "value": "b ad", "action": "block"},
        {"policy": "L", "type": "domain", "value": "d.test", "action": "block", "for": "nobody"},
    ],
    "delegates": [{"primary": ANN, "delegate": ANN}, {"primary": ANN, "delegate": "none@corp.test"}],
}


def play(r: Recorder) -> None:
    for kind in KINDS:
        path = f"ext/import-{kind}"
        r.call(f"{kind}, tried", path, {"rows": ROWS[kind], "dryRun": True})
        r.call(kind, path, {"rows": ROWS[kind]})
        r.call(f"{kind} again", path, {"rows": ROWS[kind]})
        if kind in CHANGED:
            r.call(f"{kind} changed", path, {"rows": CHANGED[kind]})
        r.call(f"{kind}, refused", path, {"rows": BAD[kind], "confirmReach": False})
        r.call(
            f"{kind}, refused and left out", path, {"rows": BAD[kind], "confirmReach": False, "skipErrors": True}
        )
        r.pages(f"{kind} exported", f"ext/export-{kind}", {}, 1 if kind == "delegates" else 2)
        r.call(f"{kind} exported, no such page", f"ext/export-{kind}", page={"pageToken": "none"})
    r.call("no rows", "ext/import-groups", {"rows": []})
    r.call("a group with a twin", "directory/create-group", {"description": "Sales"})
    r.call("a path that means two", "ext/import-members", {"rows": [{"group": "Sales", "domain": "out.test"}]})
    r.call("groups with a twin", "ext/export-groups")
    lists = "to,sender,action\nann@corp.test,=z.test,block\nann@corp.test,out.test,permit\n"
    r.command("import", "import", "senders", "-", stdin=lists.replace("=", ""))
    r.command("import, refused", "import", "senders", "-", stdin=lists)
    r.command("import, refused, JSON", "import", "senders", "-", "--json", "--dry-run", stdin=lists)
    r.command("import, not a table", "import", "senders", "-", stdin="to,from\n")
    r.command("import, no such kind", "import", "people", "-")
    r.command("export", "export", "senders")
    r.command("export, JSON lines", "export", "senders", "--format", "jsonl")
    r.command("export, something left out", "export", "groups")
