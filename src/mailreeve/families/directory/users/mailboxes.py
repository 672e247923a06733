"""Who may look after whose mailbox: read what is held for it, and decide about that?"""

from __future__ import annotations

from mailreeve.store.transactions import Work


def may_open(work: Work, caller_user_id: str, mailbox_user_id: str, scope: str) -> bool:
    """Whether the first user may act in the mailbox of the second, in this `scope`: in the own one always."""
    return bool(caller_user_id) and caller_user_id == mailbox_user_id
