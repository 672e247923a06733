"""Explanations for programs: the policies of a data folder, asked in Python and without a server.

    with open_account("mailreeve-data") as account:
        told = account.explain_message("x@bad.test", "ann@example.com")

The answers are those of the explain endpoints and of `mailreeve explain`. Who has policies but no folder asks
`policy.decide.decide_mail` and `policy.weblists.decide_web` with `explain=True`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from mailreeve.app.folder import Opened, opened_folder
from mailreeve.app.logs import configure_quietly
from mailreeve.app.settings import read
from mailreeve.families.explain import operations
from mailreeve.families.explain.types import ExplainMessage, ExplainWeb, MessageExplanation, WebExplanation
from mailreeve.policy.index.policy_set import PolicySet


class Account:
    """An account of an open data folder, with its policies as they were when first asked for."""

    def __init__(self, opened: Opened, account_id: str) -> None:
        self._opened = opened
        self._account_id = account_id

    @cached_property
    def policies(self) -> PolicySet:
        """The policies in force, immutable. A server that changes them later does not change these."""
        return self._opened.services.follower.current(self._account_id)

    def explain_message(
        self,
        sender: str,
        recipient: str,
        *,
        header_from: str | None = None,
        source_ip: str | None = None,
        at: datetime | None = None,
        policy_id: str | None = None,
    ) -> MessageExplanation:
        """What would become of a message, and why; a bounce has the sender `""`.

        What is left out is as in the command: the From header names the sender, the source is one of your own,
        the time is now. With the id of a policy that you expected, `expected` says why it did not win. Raises
        `wire.errors.ItemRefused` for what is no address, no time or no policy.
        """
        when = None if at is None else at.isoformat()
        item = ExplainMessage(sender, recipient, header_from, source_ip, when, policy_id)
        ids, now = self._opened.services.ids, datetime.now(UTC)
        return operations.explain_message(self.policies, ids, self._account_id, item, now)

    def explain_web(
        self,
        url: str,
        *,
        user: str | None = None,
        source_ip: str | None = None,
        at: datetime | None = None,
        policy_id: str | None = None,
    ) -> WebExplanation:
        """What would become of a web request, and why. As for messages."""
        item = ExplainWeb(url, user, source_ip, None if at is None else at.isoformat(), policy_id)
        ids, now = self._opened.services.ids, datetime.now(UTC)
        return operations.explain_web(self.policies, ids, self._account_id, item, now)


@contextmanager
def open_account(data: str | Path, code: str | None = None) -> Iterator[Account]:
    """An account of a data folder that `mailreeve init` has made: the one with this code, or the only one.

    A server may be running on the folder. Raises `cli.folder.FolderError`.
    """
    configure_quietly()
    folder = Path(data)
    with opened_folder(folder, read(folder, {})) as opened:
        yield Account(opened, opened.account_id(code))
