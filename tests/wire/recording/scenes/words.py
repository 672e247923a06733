"""Short ways to write the items that many scenes send."""

from __future__ import annotations

import json
from typing import Any, Final

from recorder import Recorder

Item = dict[str, Any]

EVERYONE: Item = {"type": "everyone"}
INTERNAL: Item = {"type": "internal_addresses"}
EXTERNAL: Item = {"type": "external_addresses"}
FREE_MAIL: Item = {"type": "free_mail_domains"}
ANN = "ann@corp.test"
BOB = "bob@corp.test"
CAT = "cat@corp.test"
NO_ID = "A" * 43
MTOKEN = f"MTOKEN:{NO_ID}"
PATIENCE: Final = 60.0  # seconds in which what is written after an answer has to be there


def raw(r: Recorder, title: str, path: str, item: Item) -> None:
    """A call that is answered with what was asked for, and no envelope."""
    path = f"/api/{path}"
    r.send(title, "POST", path, json.dumps({"data": [item]}).encode(), r.live.signed(path), who="admin")


def address(text: str) -> Item:
    return {"type": "individual_email_address", "emailAddress": text}


def domain(text: str) -> Item:
    return {"type": "email_domain", "emailDomain": text}


def group(group_id: str) -> Item:
    return {"type": "profile_group", "groupId": group_id}


def attribute(name: str, value: str) -> Item:
    return {"type": "address_attribute_value", "attribute": {"name": name, "value": value}}


def display_name(text: str) -> Item:
    return {"type": "header_display_name", "headerDisplayName": text}


def policy(description: str, from_: Item, to: Item = EVERYONE, **more: Any) -> Item:
    return {"description": description, "from": from_, "to": to, **more}


def block(description: str, from_: Item, to: Item = EVERYONE, option: str = "block_sender", **more: Any) -> Item:
    return {"option": option, "policy": policy(description, from_, to, **more)}
