"""Where are the users and groups that are taken over of an outside directory? What the settings say of it."""

from __future__ import annotations

from msgspec import Struct


class DirectorySource(Struct, frozen=True):
    """Where a directory server is, who asks it, what is asked for, and how often, in hours, 0 for when somebody
    asks. Without a group filter no groups are taken over. `account` is the code of the account whose it is, empty
    where there is one only; `ca` names a file of certificates to trust."""

    url: str
    bind_dn: str
    password_file: str
    base: str
    user_filter: str
    group_filter: str
    starttls: bool
    account: str
    hours: int
    ca: str = ""
