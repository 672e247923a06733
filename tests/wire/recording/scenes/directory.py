"""The account, its domains, users, aliases, attributes and delegate rights."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN, BOB, CAT, NO_ID


def play(r: Recorder) -> None:
    _account(r)
    _domains(r)
    _users(r)
    _aliases(r)
    _attributes(r)
    _delegates(r)


def _account(r: Recorder) -> None:
    path = "account/get-account"
    r.call("the account", path)
    r.call(
        "by code, by another, by name",
        path,
        {"accountCode": r.account_code},
        {"accountCode": "NONE"},
        {"accountName": "no such"},
        {"userCount": "x"},
    )
    for name in ("directory/get-connection", "directory/execute-sync", "ext/preview-directory-sync"):
        r.call(f"no directory: {name}", name)
    r.call("the connection, for nobody to know", "directory/get-connection", who="no_role")
    r.call("the other account", path, who="foreign")
    for path in ("account/get-support-info", "account/get-dashboard-notifications", "email/get-email-queues"):
        r.call(path, path)
        r.send(f"{path} in vain", "POST", f"/api/{path}", b"{", r.live.signed(f"/api/{path}"), who="admin")
    r.call("queues at no time", path, {"start": "soon"})


def _domains(r: Recorder) -> None:
    create, find = "domain/create-domain", "domain/get-internal-domain"
    r.call(
        "new domains",
        create,
        {"domain": "old.test"},
        {"domain": "New.Test", "inboundType": "KNOWN"},
        {"domain": "bücher.test", "inboundType": "smtp"},
        {"domain": "sub.corp.test", "inboundType": "ldap"},
    )
    r.call(
        "domains that are refused",
        create,
        {"domain": "corp.test"},
        {"domain": "old.test"},
        {"domain": "not a domain"},
        {"domain": "a..b"},
        {"domain": "fresh.test", "inboundType": "none"},
        {"domain": "other.test"},
        {"domain": "x" * 300 + ".test"},
        {"domain": "10.0.0.1"},
    )
    r.call("a domain by a full administrator", create, {"domain": "full.test"}, who="full_administrator")
    r.call("all domains", find)
    r.call("one domain, another's, none", find, {"domain": "OLD.test"}, {"domain": "other.test"}, {"domain": "@"})
    r.pages("domains", find, {}, 2)
    r.call("domains that wait", "domain/get-pending-domain", {}, {"domain": "old.test"}, {"domain": "@"})
    r.call("the code of none that waits", "domain/get-verification-code", {"domain": "old.test"})
    r.call("where two domains stand", "domain/get-provision-status", {"domain": "old.test"}, {"domain": "no.test"})
    r.call("no proof", "domain/verify-domain", {"domain": "@"})
    r.call("given up", "domain/delete-pending-domain", {}, {"id": NO_ID}, {"domain": "old.test"})


def _users(r: Recorder) -> None:
    create, update, find, profile = (
        f"user/{n}" for n in ("create-user", "update-user", "get-internal-users", "get-profile")
    )
    r.call(
        "new users",
        create,
        {"emailAddress": ANN, "name": "Ann"},
        {"emailAddress": "Bob@Corp.Test"},
        {"emailAddress": CAT, "password": "a good password", "forcePasswordChange": True},
        {"emailAddress": "zoë@bücher.test", "name": "Zoë"},
    )
    r.call(
        "users that are refused",
        create,
        {"emailAddress": ANN},
        {"emailAddress": "x@far.test"},
        {"emailAddress": "none"},
        {"emailAddress": "short@corp.test", "password": "x"},
        {"emailAddress": "code@corp.test", "accountCode": "NONE"},
        {"emailAddress": "n@corp.test", "name": "y" * 600},
        {"emailAddress": "same@corp.test", "password": "same@corp.test"},
        {"emailAddress": "a@other.test"},
    )
    r.call(
        "settings",
        update,
        {"emailAddress": ANN},
        {
            "emailAddress": BOB,
            "name": "Bob",
            "allowPop": True,
            "allowSmtp": False,
            "passwordNeverExpires": True,
            "archiveStartDate": "2020-01-01T00:00:00+0000",
        },
    )
    r.call(
        "settings that are refused",
        update,
        {"emailAddress": "nobody@corp.test", "name": "x"},
        {"emailAddress": BOB, "archiveStartDate": "soon"},
        {"emailAddress": BOB, "accountLocked": "perhaps"},
        {"emailAddress": BOB, "password": "x"},
        {"emailAddress": "x@far.test"},
    )
    r.call(
        "locked, disabled",
        update,
        {"emailAddress": BOB, "accountLocked": "true"},
        {"emailAddress": CAT, "accountDisabled": True},
    )
    mark, unmark = "user/add-to-purge-list", "user/remove-from-purge-list"
    r.call("marked for removal", mark, {"emailAddresses": [BOB, CAT]})
    r.call("nobody to mark", mark, {"emailAddresses": ["nobody@corp.test"]})
    r.call("everybody who is marked", "ext/get-purge-list")
    r.call("who is marked, for nobody to know", "ext/get-purge-list", who="no_role")
    r.call("unmarked", unmark, {"emailAddresses": [BOB, CAT]})
    r.call("never marked", unmark, {"emailAddresses": [BOB]})
    r.call("a file that is none", "user/import-users", {"file": "name\nx\n"})
    r.call("no import", "user/get-import-status", {}, {"id": NO_ID})
    r.call("whom an application writes to", "user/get-most-used-contacts")
    r.call(
        "the last administrator",
        update,
        *(
            {"emailAddress": f"{name}@corp.test", "accountDisabled": True}
            for name in ("late", "super_administrator", "full_administrator", "admin")
        ),
    )
    r.call("as a locked user", profile, who="full_administrator")
    r.call("as a disabled user", profile, who="super_administrator")
    r.call("as the administrator", profile)
    r.call(
        "profiles",
        profile,
        {"emailAddress": ANN},
        {"emailAddress": "help_desk@corp.test"},
        {"emailAddress": "nobody@corp.test"},
        {"emailAddress": "x@far.test"},
        {"showAvatar": True},
    )
    r.call(
        "users of a domain, of none, of another's",
        find,
        {"domain": "corp.test"},
        {"domain": "bücher.test"},
        {"domain": "far.test"},
        {"domain": "other.test"},
        {"domain": "not one"},
    )
    r.pages("users", find, {"domain": "corp.test"}, 4)


def _aliases(r: Recorder) -> None:
    update, remove, find = "user/update-alias", "user/remove-alias", "user/get-aliases"
    r.call(
        "aliases",
        update,
        {"alias": "a1@corp.test", "aliasFor": ANN},
        {"alias": "a2@old.test", "aliasFor": ANN},
        {"alias": "A3@corp.test", "aliasFor": "a1@corp.test"},
        {"alias": "a4@new.test", "aliasFor": ANN},
    )
    r.call(
        "aliases that are refused",
        update,
        {"alias": BOB, "aliasFor": ANN},
        {"alias": "a@far.test", "aliasFor": ANN},
        {"alias": "a5@corp.test", "aliasFor": "nobody@corp.test"},
        {"alias": "x", "aliasFor": ANN},
        {"alias": ANN, "aliasFor": ANN},
    )
    r.call(
        "aliases of users",
        find,
        {"emailAddress": ANN},
        {"emailAddress": BOB},
        {"emailAddress": "a1@corp.test"},
        {"emailAddress": "nobody@corp.test"},
        {"emailAddress": "x"},
    )
    r.pages("aliases", find, {"emailAddress": ANN}, 1)
    r.call(
        "aliases removed",
        remove,
        {"alias": "a1@corp.test"},
        {"alias": "a1@corp.test"},
        {"alias": "a2@old.test", "aliasFor": BOB},
        {"alias": "a2@old.test", "aliasFor": ANN},
        {"alias": ANN},
        {"alias": "x@far.test"},
    )


def _attributes(r: Recorder) -> None:
    update, find, types = "user/update-attributes", "user/get-attributes", "attribute/find-attribute-types"
    r.call("no attribute types", types)
    r.call("a page of nothing", types, page={"pageToken": "MTAuNTA"})
    r.call(
        "attributes",
        update,
        {"emailAddress": ANN, "attributes": [{"name": "team", "value": "Red"}, {"name": "floor", "value": "2"}]},
        {"emailAddress": BOB, "attributes": [{"name": "Team", "value": "blue"}]},
    )
    rows = r.call("attribute types", types)
    first = rows[0]["attributeTypes"][0]["id"]
    r.call(
        "attributes by id, one gone",
        update,
        {"emailAddress": ANN, "attributes": [{"id": first, "value": "Green"}, {"name": "floor"}]},
    )
    r.call(
        "attributes that are refused",
        update,
        {"emailAddress": ANN, "attributes": [{"value": "x"}]},
        {"emailAddress": ANN, "attributes": [{"id": NO_ID, "value": "x"}]},
        {"emailAddress": ANN, "attributes": []},
        {"emailAddress": "nobody@corp.test", "attributes": [{"name": "team", "value": "x"}]},
        {"emailAddress": ANN, "attributes": [{"name": "nowhere"}]},
        {"emailAddress": ANN, "attributes": [{"name": "team", "value": "x" * 2000}]},
    )
    r.call(
        "attributes of users",
        find,
        {"emailAddress": ANN},
        {"emailAddress": BOB},
        {"emailAddress": CAT},
        {"emailAddress": "nobody@corp.test"},
    )
    r.pages("attributes", find, {"emailAddress": ANN}, 1)
    r.pages("attribute types", types, {}, 1)


def _delegates(r: Recorder) -> None:
    add, find, remove = "user/add-delegate-user", "user/find-delegate-users", "user/remove-delegate-user"
    made = r.call(
        "rights",
        add,
        *({"primaryAddress": ANN, "delegateAddress": other} for other in (BOB, CAT, "admin@corp.test", BOB)),
    )
    r.call(
        "rights that are refused",
        add,
        {"primaryAddress": ANN, "delegateAddress": ANN},
        {"primaryAddress": ANN, "delegateAddress": "nobody@corp.test"},
        {"primaryAddress": "x@far.test", "delegateAddress": ANN},
        {"primaryAddress": "x", "delegateAddress": ANN},
    )
    r.call(
        "whose mailboxes",
        find,
        {"primaryAddress": ANN},
        {"primaryAddress": BOB},
        {"primaryAddress": "none@corp.test"},
    )
    r.pages("mailboxes", find, {"primaryAddress": ANN}, 1)
    right = {"primaryAddress": BOB, "delegateAddress": CAT}
    r.call(
        "rights with a scope and an end",
        add,
        {**right, "scopes": ["lists", "held"], "expires": "2090-01-01"},
        right,
        {**right, "scopes": []},
        {**right, "scopes": ["inbox"]},
        {**right, "expires": "2020-01-01"},
        {**right, "expires": "soon"},
    )
    r.call("what it opens", find, {"primaryAddress": BOB})
    first = made[0]["id"]
    r.call("rights removed", remove, {"id": first}, {"id": first}, {"id": NO_ID}, {"id": "x"})
    r.call("by the help desk", find, {"primaryAddress": ANN}, who="help_desk")
