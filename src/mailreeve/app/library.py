"""An account of a data folder for programs: explain, lint and replay in Python, without a server.

    with open_account("mailreeve-data") as account:
        explanation = account.explain_message("x@bad.test", "ann@example.com")

The answers are those of the endpoints, and of `mailreeve explain`, `lint` and `replay`, which are built on this.
Who has policies but no folder calls `policy.decide.mail.decide_mail` and `policy.decide.web.decide_web` with
`explain=True`; `policy.explain.words` says in words what those found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.app.folder import Opened, opened_folder
from mailreeve.app.folder_api import FolderApi
from mailreeve.app.logs import configure_quietly
from mailreeve.app.settings import read
from mailreeve.families.explain.operations import explain_message, explain_web
from mailreeve.families.explain.types import ExplainMessage, ExplainWeb, MessageExplanation, WebExplanation
from mailreeve.families.lint.operations import left_out, lint_policies
from mailreeve.families.lint.types import LintAnswer, LintPolicies
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.perform import consult
from mailreeve.families.replay.draft import try_out
from mailreeve.families.replay.operations import compare, since_of
from mailreeve.families.replay.types import ReplayAnswer, Step
from mailreeve.families.replay.web import touches_web
from mailreeve.families.tracking import rows
from mailreeve.families.web_log import reading as web_log
from mailreeve.families.web_log import rows as web_rows
from mailreeve.formats.malformed import Flaw
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import FindingKind
from mailreeve.policy.model.authentication import Result
from mailreeve.policy.model.content import SpamAction
from mailreeve.wire.errors import NOT_ALLOWED, refused

Comparing = Callable[[int], AbstractContextManager[Callable[[int], str]]]
"""Entered with the number of messages that are to be compared. What it gives is called with how many were, and
says why to stop, or nothing."""


@contextmanager
def _compare_all(total: int) -> Iterator[Callable[[int], str]]:
    yield lambda compared: ""


class Account:
    """An account of an open data folder, with its policies as they were when first used."""

    def __init__(self, opened: Opened, account_id: str) -> None:
        self._opened = opened
        self._account_id = account_id

    @cached_property
    def policies(self) -> PolicySet:
        """The policies in force, immutable. A server that changes them later does not change these."""
        return self._opened.services.follower.current(self._account_id)

    def api(self) -> FolderApi:
        """What carries the calls of a `client.Client` out on this account."""
        return FolderApi(self._opened.services, self._account_id)

    def explain_message(
        self,
        sender: str,
        recipient: str,
        *,
        header_from: str | None = None,
        source_ip: str | None = None,
        at: datetime | str | None = None,
        policy_id: str | None = None,
        spf: str | None = None,
        spf_domain: str | None = None,
        dkim: str | None = None,
        dkim_domain: str | None = None,
        dmarc: str | None = None,
        dmarc_domain: str | None = None,
        spam_score: float | None = None,
        spam_action: SpamAction | None = None,
        virus: str | None = None,
        malformed: Sequence[Flaw] = (),
    ) -> MessageExplanation:
        """What would become of a message, and why; a bounce has the sender `""`.

        What is left out is as in the command: the From header names the sender, the source is one of your own,
        the time is now; a time as text is ISO 8601. With the id of a policy that you expected, `expected` says
        why it did not win. What SPF, DKIM and DMARC say is given as a result, `pass` or `fail` and the like, and
        the domain that it is about, which else is the sender's or the author's; without any nobody said anything.
        The last four are about the content, which is not looked at without any of them: what a spam engine would
        say, what an antivirus would find, and what would be broken in its form. Raises `wire.errors.ItemRefused`
        for what is no address, no time, no result or no policy.
        """
        results = [_result(text, field) for text, field in ((spf, "spf"), (dkim, "dkim"), (dmarc, "dmarc"))]
        item = ExplainMessage(
            sender,
            recipient,
            header_from,
            source_ip,
            _time(at),
            policy_id,
            spf=results[0],
            spf_domain=spf_domain,
            dkim=results[1],
            dkim_domain=dkim_domain,
            dmarc=results[2],
            dmarc_domain=dmarc_domain,
            spam_score=spam_score,
            spam_action=spam_action,
            virus=virus,
            malformed=malformed,
        )
        ids, now = self._opened.services.ids, datetime.now(UTC)
        return explain_message(self.policies, ids, self._account_id, item, now)

    def explain_web(
        self,
        url: str,
        *,
        user: str | None = None,
        source_ip: str | None = None,
        at: datetime | str | None = None,
        policy_id: str | None = None,
    ) -> WebExplanation:
        """What would become of a web request, and why. As for messages."""
        item = ExplainWeb(url, user, source_ip, _time(at), policy_id)
        ids, now = self._opened.services.ids, datetime.now(UTC)
        return explain_web(self.policies, ids, self._account_id, item, now)

    def explain_web_decision(
        self, decision_id: str, *, at: datetime | str | None = None, policy_id: str | None = None
    ) -> WebExplanation:
        """What would become now of a web request that a door has decided about, by the decision id. As for
        messages."""
        item = ExplainWeb(at=_time(at), policy_id=policy_id, decision_id=decision_id)

        def action(call: Call) -> WebExplanation:
            record = web_log.get(call, decision_id, "decisionId")
            return explain_web(self.policies, call.ids, self._account_id, item, call.work.now, record)

        caller = Caller(self._account_id, "explain", "", frozenset(Permission))
        return consult(self._opened.services, caller, Origin(caller.actor), action)

    def lint(
        self,
        *,
        kind: FindingKind | None = None,
        at: datetime | str | None = None,
        report: Callable[[int], None] = lambda looked_at: None,
    ) -> LintAnswer:
        """Which policies can never win, win by chance, or come to nothing. `report` hears how many were looked at.

        Raises `wire.errors.ItemRefused` for what is no time.
        """
        services, policies = self._opened.services, self.policies

        def stop(looked_at: int) -> str:
            report(looked_at)
            return ""

        return lint_policies(
            policies,
            services.ids,
            LintPolicies(kind=kind, at=_time(at)),
            datetime.now(UTC),
            web_proxy=services.installation.web_proxy,
            spam_engine=services.installation.spam_engine,
            zones=services.installation.zones,
            unreadable=self._opened.store.read(self._account_id, lambda work: left_out(work, policies)),
            most=None,
            stop=stop,
        )

    def replay(
        self,
        draft: Sequence[Step],
        *,
        since: str = "7d",
        most: int | None = None,
        rehearsing: AbstractContextManager[object] | None = None,
        comparing: Comparing = _compare_all,
    ) -> ReplayAnswer:
        """What a draft of changes would have done to the messages since then; nothing is changed.

        The draft is carried out, and undone, while `rehearsing` is entered; the messages are compared while
        `comparing` of their number is. Raises `wire.errors.ItemRefused`.
        """
        # Whoever can read the folder may do everything in it.
        caller = Caller(self._account_id, "replay", "", frozenset(Permission))

        def action(call: Call) -> ReplayAnswer:
            start = since_of(since, call.work.now)
            with rehearsing or nullcontext():
                rehearsed = try_out(call, draft)
            total = rows.count_recorded(call.work, start)
            if touches_web(rehearsed):
                total += web_rows.count_since(call.work, start)
            with comparing(total if most is None else min(most, total)) as stop:
                return compare(call.work, call.ids, rehearsed, start, most, stop)

        return consult(self._opened.services, caller, Origin(caller.actor), action)


def _time(at: datetime | str | None) -> str | None:
    return at.isoformat() if isinstance(at, datetime) else at


@contextmanager
def open_account(data: str | Path, code: str | None = None) -> Iterator[Account]:
    """An account of a data folder that `mailreeve init` has made: the one with this code, or the only one.

    A server may be running on the folder. Raises `app.folder.FolderError`.
    """
    configure_quietly()
    folder = Path(data)
    with opened_folder(folder, read(folder, {})) as opened:
        yield Account(opened, opened.account_id(code))


def _result(text: str | None, field: str) -> Result | None:
    try:
        return None if text is None else Result(text.lower())
    except ValueError as problem:
        raise refused(NOT_ALLOWED, field, f"{field} is one of {', '.join(Result)}") from problem
