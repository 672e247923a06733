"""`mailreeve explain`: what would become of a message or a web request, and why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, assert_never

import click
import msgspec
from msgspec import UNSET, UnsetType
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from mailreeve.app.folder import FolderError
from mailreeve.app.folder_api import URL
from mailreeve.app.library import Account, open_account
from mailreeve.app.settings import SettingsError
from mailreeve.app.terminal import escaped_line
from mailreeve.cli import ids
from mailreeve.cli.asking.log import print_decision
from mailreeve.cli.options import account_option, data_option, ends_with, json_option, misused, refused
from mailreeve.cli.output import echo
from mailreeve.cli.tables import Column, print_table, wrapped
from mailreeve.client import Client
from mailreeve.families.explain.types import (
    ExpectedAnswer,
    MessageExplanation,
    Verdict,
    WebExplanation,
)
from mailreeve.formats.malformed import Flaw
from mailreeve.policy.explain.words import EFFECTIVE_RECIPIENT, FREE_MAIL_LIST, VERDICT, effect_words, winner_words
from mailreeve.policy.model.content import SpamAction
from mailreeve.policy.model.order import RANKED
from mailreeve.policy.model.policies import Effect, EffectKind
from mailreeve.policy.model.policy_types import POLICY_TYPES, SETTLED_IN, PolicyType
from mailreeve.policy.model.wording import quoted
from mailreeve.store.migrations import SchemaError
from mailreeve.wire.errors import ItemRefused

LEAST: Final = 3  # candidates that are shown even where the screen has no room for them
MOST_ALTERED: Final = 3  # altered addresses that are shown before `--all` is needed

_SAID_ELSEWHERE: Final = (VERDICT, EFFECTIVE_RECIPIENT, FREE_MAIL_LIST)

_EFFECTS: Final = {
    effect_words(Effect(kind)): word
    for kind, word in {
        EffectKind.BLOCK_SENDER: "blocks",
        EffectKind.REFUSE_RELAY: "blocks",
        EffectKind.NO_ACTION: "exempts",
        EffectKind.PERMIT: "permits",
        EffectKind.SPOOFING_IGNORED: "lets be",
        EffectKind.SPOOFING_TAGGED: "tags",
        EffectKind.SPOOFING_HELD: "holds",
        EffectKind.SPOOFING_REFUSED: "refuses",
        EffectKind.BYPASS: "lets past",
        EffectKind.NO_BYPASS: "lets nobody past",
        EffectKind.PERSONAL_BLOCK: "blocks",
        EffectKind.PERSONAL_PERMIT: "permits",
    }.items()
}

_at = click.option("--at", metavar="TIME", help="When, in ISO 8601; without a zone in UTC.  [default: now]")
_ip = click.option("--ip", metavar="IP", help="The address that the message or request comes from.")
_policy = click.option(
    "--policy",
    "policy_id",
    metavar="ID",
    help="A policy that you expected, by id or description: say why it did not win.",
)
_all = click.option("--all", "everything", is_flag=True, help="List every candidate, not only the first ones.")


@click.group("explain")
def command() -> None:
    """Say what would become of a message or a web request, and why.

    Reads the policies from the data folder and decides with the code that enforces them.
    """


@command.command("mail")
@click.option("--from", "sender", metavar="ADDRESS", help="Envelope sender; '' for a bounce.")
@click.option("--to", "recipient", metavar="ADDRESS", help="Envelope recipient.")
@click.option("--id", "decision", metavar="ID", help="A message that came, by what `mailreeve log show` takes.")
@click.option(
    "--header-from",
    metavar="TEXT",
    help="The From header; '' for a message without one.  [default: the envelope sender]",
)
@_ip
@click.option("--spf", metavar="RESULT[:DOMAIN]", help="What SPF came to: pass, fail, …  [default: nobody said]")
@click.option("--dkim", metavar="RESULT[:DOMAIN]", help="The same of the DKIM signature.")
@click.option("--dmarc", metavar="RESULT[:DOMAIN]", help="The same of DMARC.")
@_at
@click.option("--spam-score", type=float, metavar="SCORE", help="The score that a spam engine would give it.")
@click.option(
    "--spam-action",
    metavar="ACTION",
    type=click.Choice([action.value for action in SpamAction]),
    help=f"What the engine would do: {', '.join(SpamAction)}.  [default: as rspamd does at the score]",
)
@click.option("--virus", metavar="NAME", help="What an antivirus would find in it.")
@click.option(
    "--malformed",
    metavar="FLAW",
    type=click.Choice([flaw.value for flaw in Flaw]),
    multiple=True,
    help=f"What would be broken in its form; several times: {', '.join(flaw.value for flaw in Flaw)}.",
)
@_policy
@_all
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
@data_option
@account_option
def mail(
    data: Path,
    sender: str | None,
    recipient: str | None,
    decision: str | None,
    header_from: str | None,
    ip: str | None,
    spf: str | None,
    dkim: str | None,
    dmarc: str | None,
    at: str | None,
    spam_score: float | None,
    spam_action: str | None,
    virus: str | None,
    malformed: tuple[str, ...],
    account: str | None,
    policy_id: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Explain a message, real or imagined. With --id it is one that came: what became of it,
    and what would today.

    \b
    mailreeve explain mail --id dv3uvtlifhssmsho
    mailreeve explain mail --from news@shop.test --to ann@example.com
    mailreeve explain mail --from x@shop.test --to ann@example.com --spam-score 8
    mailreeve explain mail --from ann@example.com --to ann@example.com --spf fail
    """
    if decision is not None:
        if (sender, recipient, header_from, ip, at, policy_id) != (None,) * 6:
            misused("--id: the message has its own sender, recipient, address and time")
        with _opened(data, account) as opened, Client(URL, None, transport=opened.api()) as api:
            print_decision(api, decision.strip(), "--id", as_json=as_json)
        return
    if sender is None or recipient is None:
        raise click.MissingParameter(param_hint=f"'--{'from' if sender is None else 'to'}'", param_type="option")
    results = {"spf": _result(spf), "dkim": _result(dkim), "dmarc": _result(dmarc)}
    with _opened(data, account) as opened:
        expected = _whole_id(opened, policy_id)
        answer = opened.explain_message(
            sender,
            recipient,
            header_from=header_from,
            source_ip=ip,
            at=at,
            policy_id=expected,
            spam_score=spam_score,
            spam_action=None if spam_action is None else SpamAction(spam_action),
            virus=virus,
            malformed=[Flaw(one) for one in malformed],
            **{name: result for name, (result, _) in results.items()},
            **{f"{name}_domain": domain for name, (_, domain) in results.items()},
        )
    if as_json:
        echo(msgspec.json.encode(answer))
    else:
        _print_message(answer, sender, recipient, everything)


@command.command("web")
@click.argument("url", required=False)
@click.option("--id", "decision", metavar="ID", help="A decision of a door, as `mailreeve web log` has it.")
@click.option("--user", metavar="ADDRESS", help="Who asks for it.  [default: nobody known]")
@_ip
@_at
@_policy
@_all
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
@data_option
@account_option
def web(
    data: Path,
    url: str | None,
    decision: str | None,
    user: str | None,
    ip: str | None,
    at: str | None,
    account: str | None,
    policy_id: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Explain a web request, real or imagined. With --id the question is what would become now of a request that a
    door has decided about.

    \b
    mailreeve explain web https://games.test/play --user ann@example.com
    mailreeve explain web --id Xk2v0mRt5h8uJq1wZc7yLb4nPs9dGf3aEe6iTo0rVxY
    """
    if (url is None) == (decision is None):
        misused("URL: give a URL, or --id with a decision")
    if decision is not None and (user is not None or ip is not None):
        misused("--id: a decision has its own user and address; --user and --ip are for a URL")
    with _opened(data, account) as opened:
        expected = _whole_id(opened, policy_id)
        if decision is not None:
            answer = opened.explain_web_decision(decision, at=at, policy_id=expected)
        else:
            answer = opened.explain_web(url or "", user=user, source_ip=ip, at=at, policy_id=expected)
    if as_json:
        echo(msgspec.json.encode(answer))
    else:
        _print_web(answer, everything)


def _result(given: str | None) -> tuple[str | None, str | None]:
    """A result and the domain that it is about, each None where it is not given."""
    result, _, domain = (given or "").partition(":")
    return result or None, domain or None


def _whole_id(opened: Account, given: str | None) -> str | None:
    """The id of the policy that is meant by the beginning of it, or by its description."""
    if given is None or ids.is_whole(given):
        return given
    with Client(URL, None, transport=opened.api()) as api:
        return ids.resolve(api, ids.POLICY, given, "--policy")


@contextmanager
def _opened(data: Path, account: str | None) -> Iterator[Account]:
    """The account; what is refused in it is said of the options."""
    try:
        with open_account(data, account) as opened:
            yield opened
    except ItemRefused as refusal:
        refused(refusal, _OPTIONS)


_OPTIONS: Final = {
    "from": "--from",
    "to": "--to",
    "headerFrom": "--header-from",
    "url": "URL",
    "user": "--user",
    "sourceIp": "--ip",
    "at": "--at",
    "policyId": "--policy",
    "decisionId": "--id",
    "spamScore": "--spam-score",
    "virus": "--virus",
    "spf": "--spf",
    "spfDomain": "--spf",
    "dkim": "--dkim",
    "dkimDomain": "--dkim",
    "dmarc": "--dmarc",
    "dmarcDomain": "--dmarc",
}


class _VerdictWords(NamedTuple):
    """What is said of a message: what was done with it, of whom it goes to, and of its altered addresses."""

    done: str
    went: str
    altered: str


def _verdict_words(verdict: Verdict) -> _VerdictWords:
    match verdict:
        case Verdict.REJECT:
            return _VerdictWords("refused", "would go to", "would alter")
        case Verdict.DELIVER:
            return _VerdictWords("delivered", "delivered to", "altered")
        case Verdict.HOLD:
            return _VerdictWords("held", "would go to", "would alter")
        case other:
            assert_never(other)


def _print_message(answer: MessageExplanation, sender: str, recipient: str, everything: bool) -> None:
    words = _verdict_words(answer.verdict)
    page = Page(everything)
    page.line(f"From <{sender}> to <{recipient}>: {words.done}", style="bold")
    if answer.smtp_reply is not None:
        page.line(f"  reply        {answer.smtp_reply} (at {answer.stage})", indent=15)
    page.line(
        f"  settled by   {answer.layer}" + (f": {answer.description}" if answer.description else ""),
        indent=15,
    )
    if answer.recipient != recipient:
        page.line(f"  {words.went:<12} {answer.recipient}")
    made = [f"{one.address_type}: {one.original_address} -> {one.new_address}" for one in answer.alterations]
    if not everything and len(made) > MOST_ALTERED:
        made = [*made[:MOST_ALTERED], f"{len(made) - MOST_ALTERED} more addresses"]
    for alteration in made:
        page.line(f"  {words.altered:<12} {alteration}", indent=15)
    if answer.tagged is not UNSET:
        page.line("  tagged       with what the spam engine said")
    if answer.verdict is Verdict.DELIVER:
        page.line(f"  spam checks  {answer.spam_checks}; decided at revision {answer.revision}")
    else:
        page.line(f"  revision     {answer.revision}")
    for step in _steps(answer, everything):
        page.line(f"  - {step}", indent=4, whole=False)
    _add_expected(page, answer.expected)
    settled = SETTLED_IN.get(answer.layer)
    ranked = sorted(answer.trace, key=lambda c: (c.place == 0, c.place, c.type is not settled))
    page.show(
        "policy",
        [
            (
                str(c.place or "-"),
                POLICY_TYPES[c.type].column,
                c.description.removeprefix(f"personal {c.effect} of "),
                "scans" if c.type is PolicyType.SPAM_SCANNING else _EFFECTS.get(c.effect, "alters"),
                _order(c.sort_key),
                c.failed or c.note or _standing(c.place),
            )
            for c in ranked
        ],
    )


def _steps(answer: MessageExplanation, everything: bool) -> list[str]:
    """What was taken for granted and what each layer found; without `everything` not what is said elsewhere, and
    policies by their descriptions instead of ids."""
    if everything:
        return list(answer.steps)
    steps = [step for step in answer.steps if not step.startswith(_SAID_ELSEWHERE)]
    for winner in answer.winners.values():
        if winner is not None:
            named, short = winner_words(winner.id, winner.description), quoted(winner.description)
            steps = [step.replace(named, short) for step in steps]
    return steps


def _print_web(answer: WebExplanation, everything: bool) -> None:
    page = Page(everything)
    page.line(f"{answer.url}: {answer.verdict}", style="bold", whole=False)
    if answer.entry is not None:
        page.line(f"  entry     {answer.entry.action} {answer.entry.type} {answer.entry.value}", indent=12)
    elif answer.policy_id is not None:
        page.line("  entry     none: a list blocks by default what no entry speaks of", indent=12)
    page.line(f"  revision  {answer.revision}")
    _add_expected(page, answer.expected)
    ranked = sorted(answer.trace, key=lambda c: (c.place == 0, c.place))
    page.show(
        "entry",
        [
            (
                str(c.place or "-"),
                "all else" if c.entry is None else c.entry.type,
                c.description if c.entry is None else f"{c.entry.value} ({c.description})",
                "block" if c.entry is None else c.entry.action,
                _order(c.sort_key),
                c.failed or c.note or _standing(c.place),
            )
            for c in ranked
        ],
    )


def _add_expected(page: Page, expected: ExpectedAnswer | UnsetType) -> None:
    """What became of the policy that was asked about."""
    if expected is not UNSET:
        page.line("")
        page.line(expected.sentence, style="bold")


class _Line(msgspec.Struct, frozen=True):
    """A text, how it is shown where nothing is cut, and whether it may not be."""

    text: str
    shown: str
    style: str
    whole: bool


class Page:
    """What a reader sees: at most a screen, best candidates first; or everything, which is cut nowhere.

    Where it does not fit, what may be cut is cut to a line, and the last candidates are left out.
    """

    def __init__(self, everything: bool) -> None:
        self._everything = everything
        self._console = Console(highlight=False, soft_wrap=True)
        self._room = shutil.get_terminal_size().lines - 1  # the prompt follows
        self._lines: list[_Line] = []

    def line(self, text: str, *, style: str = "", indent: int = 0, whole: bool = True) -> None:
        """One thing that is to be known. Where it takes several lines, those after the first are indented; what is
        not to be `whole` may be cut to one."""
        text = escaped_line(text)
        shown = wrapped(text, self._console.width, indent)
        self._lines.append(_Line(text, shown, style, whole))

    def show(self, named: str, rows: Sequence[Sequence[str]]) -> None:
        """The lines, and a table of the candidates: those that applied, then those that did not."""
        table = len(rows) + 2 if rows else 0  # after an empty line the titles
        cut = not self._everything and sum(self._height(line) for line in self._lines) + table > self._room
        for line in self._lines:
            text = Text(line.shown if line.whole or not cut else line.text)  # what people typed is no markup
            if cut and not line.whole:
                text.truncate(self._console.width, overflow="ellipsis")
            self._console.print(text, style=line.style)
            self._room -= self._height(line) if line.whole or not cut else 1
        if not rows:
            return
        shown = rows if self._everything or table <= self._room else rows[: max(self._room - 3, LEAST)]
        columns = [
            Column("#"), Column("type"), Column(named, 2), Column("effect"), Column("order"), Column("why", 3)
        ]  # fmt: skip
        self._console.print()
        print_table(self._console, columns, shown, whole=self._everything)
        if len(shown) < len(rows):
            self._console.print(f"{len(rows) - len(shown)} more; --all lists them")

    def _height(self, line: _Line) -> int:
        return sum(max(1, -(-cell_len(part) // self._console.width)) for part in line.shown.split("\n"))


def _standing(place: int) -> str:
    return "won" if place == 1 else "outranked by the first"


def _order(sort_key: Sequence[float]) -> str:
    """What of the sort key says how narrow the policy is: the part before the ties are broken."""
    return " ".join(f"{part:g}" for part in sort_key[:RANKED])
