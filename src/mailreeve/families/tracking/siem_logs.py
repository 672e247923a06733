"""What became of mail, as files for a monitoring system, read one after the other (api.md section 1.3).

Each answer is a file, or an archive of files, of the records that came next, and a token for those after them. A
token names the last record that was handed out, so nothing is left out or told twice, whatever happens meanwhile.
When there is nothing new the answer is an envelope that says so; the token that was sent stays good.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from mailreeve.families.directory.account import rows as account
from mailreeve.families.machinery.call import Call
from mailreeve.families.tracking import rows, search
from mailreeve.families.tracking.errors import SIEM_TOKEN
from mailreeve.families.tracking.message_finder import route_of
from mailreeve.families.tracking.outcomes import REFUSED, Outcome, State
from mailreeve.families.tracking.present import authors_text, recorded_at
from mailreeve.families.tracking.rows import Kept
from mailreeve.families.tracking.types import AskSiemLogs
from mailreeve.wire import fields
from mailreeve.wire.errors import NOT_ALLOWED, ItemRefused, refused
from mailreeve.wire.pagination import Asked, Place
from mailreeve.wire.raw_answer import RawAnswer
from mailreeve.wire.tokens import Kind

RECORDS: Final = 1_000  # that one answer holds
KEPT: Final = timedelta(days=7)
"""So far back whoever comes without a token is told."""
HEADER: Final = "mc-siem-token"

Line = Mapping[str, str | int | bool]


class Log(StrEnum):
    """The logs that there is something for: a message as it came, as it was looked at, as it went."""

    RECEIPT = "receipt"
    PROCESS = "process"
    DELIVERY = "delivery"


_ACTS: Final = {State.HELD: "Hld", State.REJECTED: "Rej", State.DEFERRED: "Rej", State.BOUNCED: "Bnc"}
_NOTHING_NEW: Final = b'{"meta":{"isLastToken":true,"status":200},"data":[],"fail":[]}'


def logs(call: Call, item: AskSiemLogs) -> RawAnswer:
    """The next file. Raises `ItemRefused`."""
    if item.type.upper() != "MTA":
        raise refused(NOT_ALLOWED, "type", "Field must be one of [MTA]")
    form = (item.file_format or "key_value").lower()
    if form not in ("key_value", "json"):
        raise refused(NOT_ALLOWED, "fileFormat", "Field must be one of [key_value,json]")
    keys = _next(call, item.token or "")
    if not keys:
        return RawAnswer([_NOTHING_NEW], "", content_type="application/json")
    found = rows.kept(call.work, keys)
    kept = [found[key] for key in keys if key in found]  # one that cannot be read is passed over
    code = account.get(call.work).code
    told = {log: [line for one in kept for line in _lines(call, log, one, code)] for log in Log}
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    ending = "json" if form == "json" else "log"
    if item.compress:
        content = _archive({f"{log}_MTA_{stamp}.{ending}": _written(told[log], form) for log in Log if told[log]})
        name = f"MTA_{stamp}.zip"
    else:
        content = _written([line for log in Log for line in told[log]], form)
        name = f"MTA_{stamp}.{ending}"
    return RawAnswer([content], name, more={HEADER: call.seal(Kind.MAIL_RECORD, keys[-1])})


def _next(call: Call, token: str) -> Sequence[str]:
    """The keys of the records after the one that a token names, or of the last days without one."""
    place = None
    if token:
        try:
            place = Place(call.open(Kind.MAIL_RECORD, token, "token"))
        except ItemRefused as problem:
            raise refused(SIEM_TOKEN, "token") from problem
    since = None if token else call.work.now - KEPT
    what = search.Wanted(since=since, oldest_first=True)
    return search.keys_found(call.work, Asked(RECORDS, place), what).rows


def _lines(call: Call, log: Log, kept: Kept, code: str) -> Iterator[Line]:
    """What a log has of a record: at most one line, and no member that would be empty."""
    one = kept.outcome
    line: dict[str, str | int | bool] = {
        "datetime": fields.written(recorded_at(kept)),
        "aCode": one.decision_id,
        "acc": code,
        "MsgId": one.message_id,
    }
    match log:
        case Log.RECEIPT if not one.follows:
            line |= {
                "IP": one.source_ip,
                "Dir": route_of(call, one).capitalize(),
                "Sender": one.sender or "<>",
                "headerFrom": authors_text(one) or "",
                "Rcpt": one.recipient,
                "Subject": one.subject,
                "Act": "Rej" if one.state in REFUSED else "Acc",
                "SpamScore": 0 if one.spam is None else round(one.spam.score),
            }
            if one.state in REFUSED:
                line |= {"RejType": _why(one), "RejCode": one.reply[:3], "RejInfo": one.reply}
        case Log.PROCESS if one.size and one.state is not State.DEFERRED and not one.follows:
            line |= {"Act": _ACTS.get(one.state, "Acc"), "MsgSize": one.size}
            if one.state is State.HELD:
                line["Hld"] = _why(one)
        case Log.DELIVERY if one.state in (State.DELIVERED, State.ACCEPTED, State.BOUNCED):
            went = one.state is not State.BOUNCED
            line |= {
                "Dir": route_of(call, one).capitalize(),
                "Sender": one.effective_sender or "<>",
                "Rcpt": one.effective_recipient,
                "Subject": one.subject,
                "Delivered": went,
                "Snt": one.size,
                "ReceiptAck" if went else "Err": one.hop_reply if went else one.reply,
            }
        case _:
            return
    yield {name: value for name, value in line.items() if value != ""}


def _why(one: Outcome) -> str:
    return one.description or one.layer


def _written(lines: Sequence[Line], form: str) -> bytes:
    if form == "json":
        return msgspec.json.encode({"type": "MTA", "data": lines})
    return "".join("|".join(map(_pair, line.items())) + "\n" for line in lines).encode("utf-8", "replace")


def _pair(member: tuple[str, str | int | bool]) -> str:
    """A member of a line. What would end it, or the line, is a space: a stranger wrote subjects and names."""
    name, value = member
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{name}={''.join(one if one.isprintable() and one != '|' else ' ' for one in text)}"


def _archive(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
