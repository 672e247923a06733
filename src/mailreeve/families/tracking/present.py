"""How is a record told? With the ids that the API knows in the place of the store's keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import structs

from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.families.tracking.rows import Kept
from mailreeve.families.tracking.types import (
    AuthenticationOfRecord,
    MailRecord,
    MailRecordDetail,
    PolicyOfRecord,
    RecordedAlteration,
    RecordedSpam,
    RecordedSymbol,
    SignatureOfRecord,
    Today,
)
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.content import SpamVerdict
from mailreeve.policy.model.policy_types import POLICY_TYPES, SETTLED_IN, Layer, PolicyType
from mailreeve.store.keys import made_at
from mailreeve.wire import fields
from mailreeve.wire.tokens import Ids, Kind

_TYPES: Final = {row.type.value: row for row in POLICY_TYPES.values()}
_LAYERS: Final = {layer.value: type_ for layer, type_ in SETTLED_IN.items()}


class Teller:
    """Tells the records of one account."""

    def __init__(self, ids: Ids, account_id: str) -> None:
        self._ids = ids
        self._account_id = account_id

    def record(self, kept: Kept) -> MailRecord:
        """A record as lists have it."""
        one = kept.outcome
        is_named = bool(one.recipient)
        return MailRecord(
            id=self.record_id(kept),
            decision_id=one.decision_id,
            at=fields.written(recorded_at(kept)),
            verdict=one.state,
            stage=one.stage,
            from_=one.sender if is_named else None,
            to=one.recipient if is_named else None,
            header_from=authors_text(one),
            subject=one.subject,
            message_id=one.message_id,
            source_ip=one.source_ip,
            client_name=one.client_name,
            size=one.size,
            layer=one.layer,
            reply=one.reply,
            policy=self.settled_by(one),
            queue_id=one.queue_id,
            revision=one.revision,
        )

    def detail(self, kept: Kept, today: Today) -> MailRecordDetail:
        """All of a record."""
        one = kept.outcome
        is_named = bool(one.recipient)
        return MailRecordDetail(
            **structs.asdict(self.record(kept)),
            began=fields.written(datetime.fromtimestamp(one.at, UTC)),
            effective_from=one.effective_sender if is_named else None,
            effective_to=one.effective_recipient if is_named else None,
            winners=[self.policy(won.type, won.id, won.description) for won in one.winners],
            alterations=[
                RecordedAlteration(
                    self.seal(Kind.ALTERATION_DEFINITION, made.definition_id),
                    self.seal(Kind.ALTERATION_SET, made.set_id) if made.set_id else "",
                    made.field,
                    made.original,
                    made.new,
                )
                for made in one.alterations
            ],
            spam_checks=one.spam_checks,
            next_hop_reply=one.hop_reply,
            login=one.login,
            not_learnt=one.not_learnt,
            header_cut=one.header_cut,
            authentication=_authentication(one),
            spam=None if one.spam is None else recorded_spam(one.spam),
            not_scanned=one.not_scanned,
            malformed=one.flaws,
            today=today,
        )

    def record_id(self, kept: Kept) -> str:
        """The id of a record."""
        return self.seal(Kind.MAIL_RECORD, kept.key)

    def settled_by(self, one: Outcome) -> PolicyOfRecord | None:
        """The policy that settled the verdict, None where none did."""
        if not one.policy_id or one.layer not in _LAYERS:
            return None
        return self.policy(_LAYERS[one.layer].value, one.policy_id, one.description)

    def settled_in(self, layer: Layer, id_: str, description: str) -> PolicyOfRecord | None:
        """The policy that settles the verdict in this layer."""
        type_ = SETTLED_IN.get(layer)
        return None if type_ is None or not id_ else self.policy(type_.value, id_, description)

    def policy(self, type_: str, key: str, description: str) -> PolicyOfRecord:
        """A policy, or personal entry."""
        return PolicyOfRecord(type_, policy_wire_id(self._ids, self._account_id, type_, key), description)

    def seal(self, kind: str, key: str) -> str:
        """The wire id of a key."""
        return self._ids.seal(kind, key, self._account_id)


def _authentication(one: Outcome) -> AuthenticationOfRecord | None:
    known = one.authentication
    if known is None:
        return None
    return AuthenticationOfRecord(
        spf=known.spf,
        spf_domain=known.spf_domain,
        dkim=[SignatureOfRecord(each.result, each.domain) for each in known.dkim],
        dmarc=known.dmarc,
        dmarc_domain=known.dmarc_domain,
    )


def policy_wire_id(ids: Ids, account_id: str, type_: str, key: str) -> str:
    """The id that the functions of a policy's family take. `type_` is a `PolicyType`, or the layer of one."""
    row = _TYPES.get(type_) or _TYPES[_LAYERS.get(type_, PolicyType.BLOCKED_SENDERS).value]
    return ids.seal(row.kind, key, account_id)


def recorded_spam(verdict: SpamVerdict) -> RecordedSpam:
    """What a spam engine said."""
    return RecordedSpam(
        action=verdict.action,
        score=verdict.score,
        required=verdict.required,
        symbols=[RecordedSymbol(one.name, one.score) for one in verdict.symbols],
        virus=verdict.virus,
        was_put_off=verdict.was_put_off,
    )


def recorded_at(kept: Kept) -> datetime:
    """When the record was made: its outcome stood then."""
    return datetime.fromtimestamp(made_at(kept.key), UTC)


def authors_text(one: Outcome) -> str | None:
    """The From header as its authors were read; None where it was never seen."""
    return None if one.header_from is None else ", ".join(map(_author_text, one.header_from))


def _author_text(author: HeaderFrom) -> str:
    address = "" if author.address is None else str(author.address)
    name = author.display_name
    return f"{name} <{address}>" if name and address else name or address
