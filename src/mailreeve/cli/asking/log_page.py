"""How are records of mail shown? A line of a log each, or a page of one decision."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Console

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.output import echo
from mailreeve.cli.tables import wrapped
from mailreeve.families.tracking.outcomes import REFUSED, NotScanned, State
from mailreeve.families.tracking.types import (
    AuthenticationOfRecord,
    MailRecord,
    MailRecordDetail,
    PolicyOfRecord,
    RecordedSpam,
    Today,
)
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType

_INDENT: Final = 15  # of a record's further lines: below the verdict
_LABEL: Final = 16

_STYLES: Final = {State.REJECTED: "red", State.DEFERRED: "yellow"}


def print_record(record: MailRecord) -> None:
    """A record as a line; on a terminal broken between words, the further lines indented."""
    line = _line(record)
    if not sys.stdout.isatty():
        echo(escaped_line(line))
        return
    console = Console(highlight=False, soft_wrap=True)
    text = wrapped(line, console.width, _INDENT)
    console.print(text, style=_STYLES.get(record.verdict, ""), markup=False, emoji=False)


def _line(record: MailRecord) -> str:
    when = datetime.fromisoformat(record.at)
    queued = f" (queued as {record.queue_id})" if record.queue_id else ""
    return f"{when:%m-%d %H:%M:%S} {record.verdict:<9} {_who(record)}: {record.reply}{queued}"


def _who(record: MailRecord) -> str:
    if record.from_ is None:
        return f"{record.source_ip} at connect"
    return f"<{record.from_}> to <{record.to}>"


def print_details(records: Sequence[MailRecordDetail]) -> None:
    """All of some records, a page each."""
    console = Console(highlight=False, soft_wrap=True)
    for number, record in enumerate(records):
        if number:
            console.print()
        title = f"From {_who(record).removeprefix('From ')}" if record.from_ is not None else _who(record)
        verdict = f"{title}: {record.verdict}"
        console.print(wrapped(verdict, console.width, 2), style="bold", markup=False, emoji=False)
        for label, text in _facts(record):
            console.print(
                wrapped(f"  {label:<{_LABEL}}{text}", console.width, _LABEL + 2), markup=False, emoji=False
            )
        for text in _today(record):
            console.print(wrapped(text, console.width, 2), markup=False, emoji=False)


def _facts(record: MailRecordDetail) -> Iterator[tuple[str, str]]:
    if record.reply:
        yield "said", record.reply + (f" (at {record.stage})" if record.stage else "")
    yield "decision", record.decision_id
    yield "recorded", record.at + ("" if record.began == record.at else f" (begun {record.began})")
    yield "settled by", f"{record.layer}{_settled(record.policy)}"
    if record.policy is not None and record.policy.id:
        yield "policy id", record.policy.id
    for winner in record.winners:
        if record.policy is None or winner.id != record.policy.id:
            yield "also won", f"{_type(winner)}: {winner.description} {winner.id}"
    yield "revision", str(record.revision)
    yield "client", record.source_ip + (f" (HELO {record.client_name})" if record.client_name else "")
    if record.login:
        yield "signed in as", record.login
    if record.not_learnt:
        yield "no auto allow", record.not_learnt
    if record.from_ is not None:
        yield "header From", "not seen" if record.header_from is None else record.header_from or "none"
    if record.header_cut:
        yield "", "only the beginning of the From header was kept"
    if record.authentication is not None:
        yield "authentication", ", ".join(_results(record.authentication)) or "nothing was found"
    if record.subject:
        yield "subject", record.subject
    if record.message_id:
        yield "Message-ID", record.message_id
    if record.size:
        yield "size", f"{record.size} octets"
    if record.spam is not None:
        yield "spam verdict", _spam(record.spam)
        if record.spam.virus:
            yield "virus", record.spam.virus
    if record.not_scanned:
        yield "not scanned", _NOT_SCANNED.get(record.not_scanned, record.not_scanned)
    if record.malformed:
        yield "malformed", ", ".join(flaw.replace("_", " ") for flaw in record.malformed)
    for made in record.alterations:
        yield "altered", f"{made.address_type}: {made.original_address} -> {made.new_address}"
    if record.verdict not in REFUSED:
        if record.effective_to != record.to:
            yield "goes to" if record.verdict is State.HELD else "delivered to", str(record.effective_to)
        yield "spam checks", record.spam_checks
        if record.verdict in (State.ACCEPTED, State.DELIVERED):
            yield "next hop", record.next_hop_reply or "took it"
    if record.queue_id:
        yield "queue id", record.queue_id


_NOT_SCANNED: Final[dict[str, str]] = {
    NotScanned.NO_ANSWER: "the spam engine gave no answer",
    NotScanned.TOO_LARGE: "the message is larger than what is scanned",
}


def _spam(spam: RecordedSpam) -> str:
    of = f" of {spam.required:g}" if spam.required else ""
    symbols = ", ".join(f"{one.name} {one.score:g}" for one in spam.symbols)
    again = ", put off before" if spam.was_put_off else ""
    return f"{spam.action}, score {spam.score:g}{of}{f' ({symbols})' if symbols else ''}{again}"


def _results(found: AuthenticationOfRecord) -> Iterator[str]:
    """What was found, each with the domain that it is about."""
    if found.spf is not None:
        yield f"SPF {found.spf} for {found.spf_domain or 'an unknown domain'}"
    for one in found.dkim:
        yield f"DKIM {one.result} by {one.domain or 'an unknown domain'}"
    if found.dmarc is not None:
        yield f"DMARC {found.dmarc} for {found.dmarc_domain or 'an unknown domain'}"


def _settled(policy: PolicyOfRecord | None) -> str:
    return "" if policy is None else f": {policy.description}"


def _type(policy: PolicyOfRecord) -> str:
    return POLICY_TYPES[PolicyType(policy.type)].words


def _today(record: MailRecordDetail) -> Iterator[str]:
    """What would be decided today, where policies have changed since or it would be something else."""
    today = record.today
    if today.revision == record.revision and not today.differs:
        return
    since = "No policy has changed since"
    if today.revision != record.revision:
        since = f"Changes were made since (revision {record.revision} to {today.revision})"
    yield ""
    if today.undetermined:
        yield f"{since}. What would be decided today cannot be told: {today.undetermined}."
    elif today.differs:
        yield f"{since}. Today the same mail would be {_verdict(record, today)}. Nothing was done by that."
    else:
        yield f"{since}. Today the same would be decided."


def _verdict(record: MailRecordDetail, today: Today) -> str:
    if today.verdict is State.HELD:
        by = today.layer if today.policy is None else f'"{today.policy.description}" ({today.policy.id})'
        return f"held by {by}"
    if today.verdict not in REFUSED:
        if record.from_ is None:
            return "heard out: the client would be asked what it wants"
        at = "" if today.recipient == record.to else f" to {today.recipient}"
        return f"let through{at}, spam checks {today.spam_checks}"
    by = today.layer if today.policy is None else f'"{today.policy.description}" ({today.policy.id})'
    return f"refused by {by}: {today.reply}"
