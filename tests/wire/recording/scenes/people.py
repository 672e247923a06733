"""Roles, administrators and keys, and an account that is locked."""

from __future__ import annotations

import base64
import json
from typing import Any

from recorder import Recorder

from mailreeve.families.login.sign_in.attempts import PER_USER
from scenes.words import ANN, BOB, CAT

READ = "Account | Dashboard | Read"
GROUPS = "Directories | Groups | Read"
EVE = "eve@corp.test"


def play(r: Recorder) -> None:
    _roles(r)
    _administrators(r)
    _keys(r)
    _uses_of_roles(r)
    _signing_in(r)
    _locked(r)


def _roles(r: Recorder) -> None:
    create, update, find = "ext/create-role", "ext/update-role", "ext/get-roles"
    r.call(
        "new roles",
        create,
        {"name": "Watcher", "permissions": [READ, "directories|groups|READ"], "description": "looks on"},
        {"name": "Spare", "permissions": [READ]},
    )
    r.call(
        "roles that are refused",
        create,
        {"name": "help desk", "permissions": [READ]},
        {"name": "WATCHER", "permissions": [READ]},
        {"name": "None", "permissions": ["Account | Dashboard", READ]},
        {"name": "None", "permissions": []},
        {"name": "x" * 65, "permissions": [READ]},
    )
    r.call("a role beyond the caller", create, {"name": "R", "permissions": [READ]}, who="help_desk")
    r.call("roles", find)
    r.call("a role, none", find, {"role": "watcher"}, {"role": "King"})
    r.call(
        "changed roles",
        update,
        {"role": "watcher", "name": "Onlooker", "permissions": [READ, GROUPS]},
        {"role": "Spare"},
        {"role": "Help Desk", "description": "x"},
        {"role": "King"},
        {"role": "Spare", "name": "onlooker"},
    )
    r.call("deleted roles", "ext/delete-role", {"role": "Spare"}, {"role": "Spare"}, {"role": "Help Desk"})


def _administrators(r: Recorder) -> None:
    add, remove, give, find = (
        f"ext/{n}" for n in ("add-administrator", "remove-administrator", "set-role", "get-administrators")
    )
    r.call(
        "users", "user/create-user", {"emailAddress": ANN, "name": "Ann"}, {"emailAddress": BOB, "role": "King"}
    )
    r.call(
        "new administrators",
        add,
        {"emailAddress": ANN, "role": "onlooker"},
        {"emailAddress": CAT, "role": "Help Desk", "name": "Cat", "password": "a good password"},
        {"emailAddress": EVE, "role": "Onlooker", "colour": "red"},
    )
    r.call(
        "administrators that are refused",
        add,
        {"emailAddress": "x@far.test", "role": "Help Desk"},
        {"emailAddress": ANN, "role": "King"},
        {"emailAddress": ANN, "role": "Help Desk", "password": "x"},
        {"emailAddress": "none", "role": "Help Desk"},
    )
    r.call(
        "above the caller",
        add,
        {"emailAddress": ANN, "role": "Super Administrator"},
        {"emailAddress": "admin@corp.test", "role": "Help Desk"},
        who="full_administrator",
    )
    r.call(
        "another role", give, {"emailAddress": ANN, "role": "Help Desk"}, {"emailAddress": BOB, "role": "onlooker"}
    )
    r.call(
        "other roles that are refused",
        give,
        {"role": "Help Desk"},
        {"emailAddress": ANN, "appId": "x", "role": "Help Desk"},
        {"emailAddress": "ghost@corp.test", "role": "Help Desk"},
        {"appId": "none", "role": "Help Desk"},
    )
    r.call("no role any more", remove, {"emailAddress": BOB}, {"emailAddress": "ghost@corp.test"})
    r.call("administrators", find)
    r.call("administrators, not allowed", find, who="no_role")
    r.pages("administrators", find, {}, 4)


def _keys(r: Recorder) -> None:
    create, rotate, revoke, find = (f"ext/{n}" for n in ("create-key", "rotate-key", "revoke-key", "get-keys"))
    r.call("a locked user", "user/update-user", {"emailAddress": CAT, "accountLocked": True})
    first, second, *_ = r.call(
        "new keys",
        create,
        {"user": ANN, "name": "playbooks", "role": "Onlooker", "expires": "2099-01-01T00:00:00Z"},
        {"user": ANN},
        {"user": BOB},
        {"user": CAT},
        {"user": "ghost@corp.test"},
        {"user": ANN, "role": "King"},
        {"user": ANN, "expires": "2020-01-01"},
        {"user": ANN, "expires": "soon"},
    )
    r.call("above the caller", create, {"user": "admin@corp.test"}, {"user": ANN, "role": "super administrator"},
           who="full_administrator")  # fmt: skip
    r.call("keys", find)
    r.call("keys, not allowed", find, who="no_role")
    r.pages("keys", find, {}, 4)
    r.call(
        "new secrets",
        rotate,
        {"id": first["accessKey"], "grace": 3600},
        {"id": second["appId"]},
        {"id": second["clientId"], "grace": -1},
        {"id": "none"},
    )
    r.call("another role for an application", "ext/set-role", {"appId": second["appId"], "role": "onlooker"})
    r.call(
        "keys taken back",
        revoke,
        {"ids": [first["accessKey"], "none"]},
        {"ids": [second["appId"], second["accessKey"]]},
        {"ids": []},
        {"ids": [second["appId"]]},
    )
    r.call("keys that have ended", "account/get-account", who="expired")


def _signing_in(r: Recorder) -> None:
    fay = "fay@corp.test"
    user = {"emailAddress": fay, "password": "a good password", "forcePasswordChange": True}
    r.call("a user with a password", "user/create-user", user)

    def send(
        title: str, function: str, item: dict[str, object], password: str, scheme: str = "Basic-Cloud"
    ) -> Any:
        who = base64.b64encode(f"{fay}:{password}".encode()).decode()
        headers = {"Authorization": f"{scheme} {who}", "x-mc-app-id": r.keys["admin"]["app_id"]}
        return r.send(title, "POST", f"/api/{function}", json.dumps({"data": [item]}).encode(), headers, "fay")

    login = "login/login"
    discover = "login/discover-authentication"
    send("how to sign in", discover, {"emailAddress": fay}, "")
    send("how to sign in as nobody in particular", discover, {"emailAddress": "none"}, "")
    send("a password that has to be changed", login, {}, "a good password")
    send("a new password that is too short", "ext/change-password", {"newPassword": "x"}, "a good password")
    send("a new password", "ext/change-password", {"newPassword": "a better password"}, "a good password")
    send("the old password", login, {}, "a good password")
    send("another way to sign in", login, {}, "a better password", "Basic-Ad")
    send("somebody else in the item", login, {"userName": ANN}, "a better password")
    given = send("signing in", login, {"userName": fay}, "a better password")["data"][0]
    send("more time", login, {"username": fay, "accessKey": given["accessKey"]}, "a better password")
    send("more time for no key", login, {"accessKey": "none"}, "a better password")
    keys = r.keys["admin"] | {"access_key": given["accessKey"], "secret_key": given["secretKey"]}

    def signed(title: str, function: str, body: str) -> None:
        path = f"/api/{function}"
        r.send(title, "POST", path, body.encode(), r.live.signed(path, keys=keys), "fay")

    other = send("signing in again", login, {}, "a better password")["data"][0]["accessKey"]
    signed("taking back a key", "ext/revoke-my-key", json.dumps({"data": [{"accessKey": other}]}))
    signed("one's own keys", "ext/get-my-keys", "{}")
    signed("taking back no key", "ext/revoke-my-key", '{"data": [{"accessKey": "none"}]}')
    signed("signing out", "login/logout", "data=x")
    signed("signed out", "ext/get-my-keys", "{}")
    for n in range(PER_USER + 1):
        send(f"wrong password {n + 1}", login, {}, "wrong")
    grant = "&".join(f"{name}={r.keys['admin'][name]}" for name in ("client_id", "client_secret"))
    body = f"grant_type=client_credentials&{grant}".encode()
    token = r.live.request("POST", "/oauth/token", body).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    r.send("signing out with a token", "POST", "/api/login/logout", b"{}", bearer, "admin")


def _uses_of_roles(r: Recorder) -> None:
    r.call("a role in use", "ext/delete-role", {"role": "onlooker"})
    r.command("roles, on the folder", "role", "list", "--account", r.account_code)


def _locked(r: Recorder) -> None:
    r.command("an account locked", "account", "lock", r.account_code)
    body = "account/get-account"
    r.call("as a caller of a locked account", body)
    r.call("as a caller of another", body, who="foreign")
    r.command("an account unlocked", "account", "unlock", r.account_code)
