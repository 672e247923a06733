"""The directory over the years: users renamed and removed, domains given up, memberships that end."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN, BOB, NO_ID, address, block, domain

ANNA = "Anna@New.Test"
LATER = "2100-01-01T00:00:00+0000"


def play(r: Recorder) -> None:
    _domains(r)
    _memberships(r)
    _people(r)
    _removals(r)


def _domains(r: Recorder) -> None:
    r.call("a new domain", "domain/create-domain", {"domain": "new.test"}, {"domain": "localhost."})
    r.call("a domain without a dot", "domain/create-domain", {"domain": "lokalhost"})
    r.call(
        "domains are changed",
        "ext/update-domain",
        {"domain": "new.test", "inboundType": "KNOWN"},
        {"domain": "new.test", "inboundType": "any"},
        {"domain": "new.test", "inboundType": "none"},
        {"domain": "far.test", "inboundType": "any"},
        {"domain": "other.test", "inboundType": "any"},
    )


def _memberships(r: Recorder) -> None:
    (friends,) = r.call("a group", "directory/create-group", {"description": "Friends"})
    id_ = friends["id"]
    r.call("users", "user/create-user", {"emailAddress": ANN, "name": "Ann"}, {"emailAddress": BOB})
    r.call(
        "memberships with an end",
        "directory/add-group-member",
        {"id": id_, "emailAddress": ANN, "until": "2099-12-31T12:00"},
        {"id": id_, "domain": "guests.test", "until": LATER},
        {"id": id_, "emailAddress": "late@guests.test", "until": "2020-01-01"},
        {"id": id_, "emailAddress": "never@guests.test", "until": "soon"},
    )
    r.call(
        "the end of a membership is changed",
        "ext/update-group-member",
        {"id": id_, "emailAddress": ANN, "until": LATER, "notes": "prolonged"},
        {"id": id_, "domain": "guests.test", "until": ""},
        {"id": id_, "domain": "guests.test", "until": "2020-01-01"},
        {"id": id_, "domain": "nobody.test", "until": LATER},
        {"id": NO_ID, "domain": "guests.test", "until": LATER},
    )
    r.call("the members", "directory/get-group-members", {"id": id_})
    r.call("none has ended", "ext/remove-ended-members", {"id": id_})
    r.call("of any group, of none", "ext/remove-ended-members", {})
    r.call("of no group", "ext/remove-ended-members", {"id": NO_ID})
    r.call(
        "a policy about a user",
        "policy/blockedsenders/create-policy",
        block("about Ann", domain("shop.test"), address(ANN)),
    )
    r.call(
        "an entry of a user",
        "managedsender/permit-or-block-sender",
        {"sender": "news@shop.test", "to": ANN, "action": "block"},
    )


def _people(r: Recorder) -> None:
    r.call(
        "a user gets another address",
        "ext/rename-user",
        {"emailAddress": ANN, "newAddress": ANNA},
        {"emailAddress": BOB, "newAddress": "ann@corp.test"},
        {"emailAddress": BOB, "newAddress": "x@far.test"},
        {"emailAddress": "noone@corp.test", "newAddress": "x@corp.test"},
        {"emailAddress": BOB, "newAddress": "none"},
        {"emailAddress": BOB, "newAddress": "robert@corp.test", "keepAsAlias": False},
    )
    r.call(
        "the policy follows", "ext/explain-message", {"from": "x@shop.test", "to": ANNA, "at": "2030-01-01T00:00"}
    )
    r.call("and the alias", "ext/explain-message", {"from": "x@shop.test", "to": ANN, "at": "2030-01-01T00:00"})
    r.call("a user is described", "ext/describe-user", {"emailAddress": ANN}, {"emailAddress": "bob@corp.test"})
    find = "ext/find-users"
    r.call("users found", find, {"query": "ANN"}, {"domain": "new.test"}, {"locked": True}, {"domain": "far.test"})
    r.pages("users found", find, {"domain": "corp.test"}, 3)


def _removals(r: Recorder) -> None:
    r.call(
        "users are removed",
        "ext/remove-user",
        {"emailAddress": ANN},
        {"emailAddress": ANN, "force": True},
        {"emailAddress": ANN},
        {"emailAddress": "x@far.test"},
    )
    r.call("a user whom nothing names", "ext/remove-user", {"emailAddress": "robert@corp.test"})
    r.call("a user", "user/create-user", {"emailAddress": "eve@new.test"})
    r.call("an alias", "user/update-alias", {"alias": "late@new.test", "aliasFor": "late@corp.test"})
    r.call(
        "domains are given up",
        "ext/remove-domain",
        {"domain": "localhost."},
        {"domain": "new.test"},
        {"domain": "new.test", "withUsers": True},
        {"domain": "far.test"},
        {"domain": "other.test"},
    )
