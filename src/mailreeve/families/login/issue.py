"""New keys for an application and a user: made, sealed or hashed, and stored."""

from __future__ import annotations

import base64
import secrets
import uuid
from datetime import datetime

from msgspec import Struct

from mailreeve.families.login import rows
from mailreeve.families.login.authenticate import hash_client_secret
from mailreeve.store.changes import Part
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Work


class Keys(Struct, frozen=True):
    """The keys of one application and of one user bound to it, in clear: shown once, kept sealed or hashed."""

    app_id: str
    app_key: str
    access_key: str
    secret_key: str
    client_id: str
    client_secret: str


def url_safe(octets: int) -> str:
    """Random text of so many octets. It does not begin with a dash: on a command line it would be an option."""
    while (text := secrets.token_urlsafe(octets)).startswith("-"):
        pass
    return text


def new_secret_key() -> str:
    """A new secret key."""
    return base64.b64encode(secrets.token_bytes(64)).decode()


def issue_application(
    work: Work,
    vault: Vault,
    name: str,
    role: str,
    user_id: str,
    expires_at: datetime | None = None,
    fixed: Keys | None = None,
) -> Keys:
    """A new application with that role, and a binding of that user to it. The forms are those of the live
    service (api.md section 2.1): a GUID, URL-safe text, and 64 octets in base64. All of them end at
    `expires_at`. `fixed` keys are those of a sandbox, which everybody knows."""
    keys = fixed or Keys(
        app_id=str(uuid.uuid4()),
        app_key=str(uuid.uuid4()),
        access_key=url_safe(120),
        secret_key=new_secret_key(),
        client_id=url_safe(24),
        client_secret=url_safe(48),
    )
    application_id = rows.add_application(
        work,
        name,
        role,
        keys.app_id,
        vault.seal(keys.app_key.encode(), work.account_id),
        keys.client_id,
        hash_client_secret(keys.client_secret),
        expires_at,
    )
    secret = vault.seal(base64.b64decode(keys.secret_key), work.account_id)
    rows.add_binding(work, application_id, user_id, keys.access_key, secret, expires_at)
    work.changed(Part.CREDENTIALS, "create", rows.APPLICATION, application_id, after={"name": name, "role": role})
    return keys
