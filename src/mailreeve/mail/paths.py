"""Whom does a path of the envelope name? The arguments of MAIL and RCPT, made addresses once, for every door.

A path comes with or without angle brackets, and perhaps with a source route, which is ignored (RFC 5321 section
4.1.2, appendix C). A stranger writes it, so what is malformed is answered.
"""

from __future__ import annotations

from typing import Final

from mailreeve.formats.addresses import Address, AddressError, Domain, Sender, parse_address, parse_sender
from mailreeve.policy.model.policy_types import SmtpReply

NO_POSTMASTER: Final = SmtpReply(550, "5.1.1", "No domain here has this postmaster")


def read_sender(path: str) -> Sender | SmtpReply:
    """The envelope sender, or the refusal."""
    try:
        return parse_sender(_mailbox_of(path))
    except AddressError as problem:
        return SmtpReply(501, "5.1.7", f"Bad sender address: {problem}")


def read_recipient(path: str, postmaster_at: Domain | None = None) -> Address | SmtpReply:
    """The address of an envelope recipient, or the refusal. `postmaster_at` is where a postmaster without a domain
    is (RFC 5321 section 4.5.1)."""
    mailbox = _mailbox_of(path)
    if names_postmaster(path):
        if postmaster_at is None:
            return NO_POSTMASTER
        mailbox = f"{mailbox}@{postmaster_at}"
    try:
        return parse_address(mailbox)
    except AddressError as problem:
        return SmtpReply(501, "5.1.3", f"Bad recipient address: {problem}")


def names_postmaster(path: str) -> bool:
    """Whether a path is a postmaster without a domain, in whatever case."""
    return _mailbox_of(path).lower() == "postmaster"


def _mailbox_of(path: str) -> str:
    """The mailbox of a path, without angle brackets and source route."""
    mailbox = path.strip()
    if mailbox.startswith("<") and mailbox.endswith(">"):
        mailbox = mailbox[1:-1]
    if mailbox.startswith("@") and ":" in mailbox:
        mailbox = mailbox.partition(":")[2]
    return mailbox
