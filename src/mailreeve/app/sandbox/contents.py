"""What does a sandbox hold? Always the same: credentials, people, lists, and mail delivered, refused, held.

The credentials are public, being part of this source. So a sandbox listens on loopback, unless it is asked to
listen elsewhere, and its folder is gone when it ends.
"""

from __future__ import annotations

import base64
import hashlib
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from mailreeve.app.folder import FolderError
from mailreeve.app.new_account import Credentials, initialise
from mailreeve.app.settings import split_host_port
from mailreeve.client import Client

DOMAIN: Final = "sandbox.test"
ADMIN: Final = f"admin@{DOMAIN}"
OUTSIDE: Final = "192.0.2.10"  # where the mail of strangers comes from, said by XCLIENT
JUDGE: Final = "sandbox"  # whose Authentication-Results are believed
PEOPLE: Final = (("ann", "Ann Archer"), ("bob", "Bob Baker"), ("cat", "Cat Cooper"))
GREETING_TIME: Final = 10.0  # seconds

CREDENTIALS: Final = Credentials(
    account_code="CSBX00000001",
    app_id="5a11db0c-0000-4000-8000-000000000001",
    app_key="5a11db0c-0000-4000-8000-000000000002",
    access_key="sandbox-access-key-" + "A" * 141,
    secret_key=base64.b64encode(hashlib.sha512(b"mailreeve sandbox").digest()).decode(),
    client_id="sandbox-client",
    client_secret="sandbox-client-secret",  # noqa: S106 - meant to be known
    admin=ADMIN,
    admin_password="sandbox-password",  # noqa: S106
)

DEFAULTS: Final = {
    "http": "127.0.0.1:8025",
    "smtp": "127.0.0.1:2525",
    "xclient_hosts": ("127.0.0.0/8", "::1/128"),
    "trusted_authserv_ids": (JUDGE,),
    "rate_limit": 1_000_000,
    "archive": "on",
    "log_level": "warning",
}
"""The settings of a sandbox, where no option says anything else."""


def make(data: Path) -> None:
    """A folder with the account of a sandbox."""
    initialise(data, (DOMAIN,), ADMIN, data / "credentials.json", fixed=CREDENTIALS)


def fill(api: Client, smtp: str) -> None:
    """Give a new sandbox, whose API is `api` and whose mail door is at `smtp`, its people, lists and mail. Raises
    `FolderError` where the door does not take mail."""
    api.call(
        "user/create-user",
        *({"emailAddress": f"{local}@{DOMAIN}", "name": name} for local, name in PEOPLE),
    )
    api.call("user/update-alias", {"alias": f"annie@{DOMAIN}", "aliasFor": f"ann@{DOMAIN}"})
    (group,) = api.call("directory/create-group", {"description": "Sales"})
    api.call("directory/add-group-member", {"id": group["id"], "emailAddress": f"bob@{DOMAIN}"})
    api.call(
        "policy/blockedsenders/create-policy",
        {
            "option": "block_sender",
            "policy": {
                "description": "Sandbox: spam.test is blocked",
                "from": {"type": "email_domain", "emailDomain": "spam.test"},
                "to": {"type": "everyone"},
            },
        },
    )
    api.call(
        "managedsender/permit-or-block-sender",
        {"sender": "x@noise.test", "to": f"ann@{DOMAIN}", "action": "block"},
    )
    api.call(
        "ext/antispoofing/create-policy",
        {
            "option": "hold",
            "policy": {
                "description": "Sandbox: who pretends to be us is held",
                "from": {"type": "internal_addresses"},
                "to": {"type": "internal_addresses"},
            },
        },
    )
    for sender, subject in (
        ("liz@partner.test", "The offer you asked for"),
        ("news@partner.test", "Our news of this month"),
        (f"cat@{DOMAIN}", "Please pay this today"),
        ("win@spam.test", "You have won"),
    ):
        _send(smtp, sender, f"ann@{DOMAIN}", subject)


def _send(smtp: str, sender: str, recipient: str, subject: str) -> None:
    """Send a mail as a stranger would; that it is refused is what some are sent for."""
    message = EmailMessage()
    result = "fail" if sender.endswith(f"@{DOMAIN}") else "pass"
    domain = sender.partition("@")[2]
    message["Authentication-Results"] = (
        f"{JUDGE}; spf={result} smtp.mailfrom={sender}; dmarc={result} header.from={domain}"
    )
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Message-ID"] = f"<{hashlib.sha256((sender + subject).encode()).hexdigest()[:16]}@sandbox>"
    message.set_content(f"{subject}.\n")
    with smtplib.SMTP(*split_host_port(smtp, "smtp"), timeout=GREETING_TIME) as door:
        door.ehlo("sandbox")
        code, text = door.docmd("XCLIENT", f"ADDR={OUTSIDE}")
        if code != 220:
            raise FolderError(f"XCLIENT is answered with {code} {text.decode()}")
        door.ehlo("sandbox")
        try:
            door.send_message(message, sender, [recipient])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as refused:
            if "spam.test" not in sender:
                raise FolderError(str(refused)) from refused


def settings_of(options: dict[str, object]) -> dict[str, object]:
    """The options of a sandbox: what was given, else `DEFAULTS`."""
    return DEFAULTS | {name: value for name, value in options.items() if value is not None}
