"""The functions of explain. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AlterationAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "definition_id": "definitionId",
        "address_alteration_set_id": "addressAlterationSetId",
        "address_type": "addressType",
        "original_address": "originalAddress",
        "new_address": "newAddress",
    },
):
    """One rewrite of an address. The set is empty for a definition in the root."""

    definition_id: str = ""
    address_alteration_set_id: str = ""
    address_type: str = ""
    original_address: str = ""
    new_address: str = ""


class CandidateAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"sort_key": "sortKey", "stand_ins": "standIns"}
):
    """One policy that was considered. `failed` is the first test that it did not pass, null where it applied;
    `place` is 1 for the winner of its type. Of two that applied the one with the higher `sort_key` won.
    `stand_ins` lead from an address of the message to the one that the policy names, where that is another
    one.
    """

    type: str = ""
    id: str = ""
    description: str = ""
    effect: str = ""
    failed: str | None = None
    sort_key: tuple[float, ...] = ()
    place: int = 0
    part: str | None = None
    swapped: bool = False
    note: str = ""
    stand_ins: tuple[StandInAnswer, ...] = ()


class EntryAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of a web list, in the form in which it is compared."""

    id: str = ""
    type: str = ""
    value: str = ""
    action: str = ""


class ExpectedAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the policy that was asked about: whether it applied, whether it then won its type, and
    why or why not in one sentence.
    """

    id: str = ""
    description: str = ""
    applied: bool = False
    won: bool = False
    sentence: str = ""


class MessageExplanation(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"smtp_reply": "smtpReply", "spam_checks": "spamChecks"},
):
    """What becomes of a message for one recipient, and why. `smtp_reply` is null for a delivery. `alterations`
    are those that the delivered copy shows, of the envelope and of the From header; where the message is
    refused, those that it would have. `description` is that of the policy which settled the verdict;
    `steps` tell in sentences what was taken for granted and what each layer found. `expected` is there when
    a policy was asked about. `tagged` is there, and true, where the copy is delivered with what a spam
    engine said of it.
    """

    verdict: str = ""
    stage: str | None = None
    smtp_reply: str | None = None
    layer: str = ""
    spam_checks: str = ""
    recipient: str = ""
    winners: Mapping[str, WinnerAnswer | None] = field(default_factory=dict)
    alterations: tuple[AlterationAnswer, ...] = ()
    trace: tuple[CandidateAnswer, ...] = ()
    revision: int = 0
    description: str = ""
    steps: tuple[str, ...] = ()
    expected: ExpectedAnswer | None = None
    tagged: bool | None = None


class StandInAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address that stands for another one, as an alias or because it has a tag."""

    address: str = ""
    kind: str = ""
    of: str = ""


class WebCandidateAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"policy_id": "policyId", "sort_key": "sortKey"}
):
    """One entry that was considered; members as in `CandidateAnswer`. `entry` is null for what a list blocks
    by default. The ids of a temporary allow are both its own.
    """

    policy_id: str = ""
    description: str = ""
    entry: EntryAnswer | None = None
    failed: str | None = None
    sort_key: tuple[float, ...] = ()
    place: int = 0
    note: str = ""


class WebExplanation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"policy_id": "policyId"}):
    """What becomes of a web request, and why. `url` is the URL as it was compared; `expected` is there when a
    list or entry was asked about. Of a block without an `entry` a default deny says so.
    """

    verdict: str = ""
    policy_id: str | None = None
    entry: EntryAnswer | None = None
    trace: tuple[WebCandidateAnswer, ...] = ()
    revision: int = 0
    url: str = ""
    expected: ExpectedAnswer | None = None


class WinnerAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The policy or personal entry that took its type."""

    id: str = ""
    description: str = ""


class ExplainFunctions:
    """What can be asked about explain."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def explain_message(
        self,
        *,
        from_: str,
        to: str,
        header_from: str | None = None,
        source_ip: str | None = None,
        at: str | None = None,
        policy_id: str | None = None,
        spf: Literal["pass", "fail", "softfail", "neutral", "policy", "none", "temperror", "permerror"]
        | None = None,
        spf_domain: str | None = None,
        dkim: Literal["pass", "fail", "softfail", "neutral", "policy", "none", "temperror", "permerror"]
        | None = None,
        dkim_domain: str | None = None,
        dmarc: Literal["pass", "fail", "softfail", "neutral", "policy", "none", "temperror", "permerror"]
        | None = None,
        dmarc_domain: str | None = None,
        spam_score: float | None = None,
        spam_action: Literal["no action", "greylist", "add header", "rewrite subject", "soft reject", "reject"]
        | None = None,
        virus: str | None = None,
        malformed: Sequence[
            Literal[
                "duplicate_field",
                "broken_boundary",
                "no_terminator",
                "eight_bit_header",
                "bare_line_end",
                "null_octet",
                "undecodable_word",
                "long_line",
                "unknown_encoding",
                "deep",
                "too_many_parts",
                "no_field",
            ]
        ]
        | None = None,
    ) -> MessageExplanation:
        """Say what would become of a message, and why."""
        return self._api.one_of(
            MessageExplanation,
            "ext/explain-message",
            {
                "from": from_,
                "to": to,
                "headerFrom": header_from,
                "sourceIp": source_ip,
                "at": at,
                "policyId": policy_id,
                "spf": spf,
                "spfDomain": spf_domain,
                "dkim": dkim,
                "dkimDomain": dkim_domain,
                "dmarc": dmarc,
                "dmarcDomain": dmarc_domain,
                "spamScore": spam_score,
                "spamAction": spam_action,
                "virus": virus,
                "malformed": malformed,
            },
        )

    def explain_web(
        self,
        *,
        url: str | None = None,
        user: str | None = None,
        source_ip: str | None = None,
        at: str | None = None,
        policy_id: str | None = None,
        decision_id: str | None = None,
    ) -> WebExplanation:
        """Say what would become of a web request, and why."""
        return self._api.one_of(
            WebExplanation,
            "ext/explain-web",
            {
                "url": url,
                "user": user,
                "sourceIp": source_ip,
                "at": at,
                "policyId": policy_id,
                "decisionId": decision_id,
            },
        )


class AsyncExplainFunctions:
    """What can be asked about explain."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def explain_message(
        self,
        *,
        from_: str,
        to: str,
        header_from: str | None = None,
        source_ip: str | None = None,
        at: str | None = None,
        policy_id: str | None = None,
        spf: Literal["pass", "fail", "softfail", "neutral", "policy", "none", "temperror", "permerror"]
        | None = None,
        spf_domain: str | None = None,
        dkim: Literal["pass", "fail", "softfail", "neutral", "policy", "none", "temperror", "permerror"]
        | None = None,
        dkim_domain: str | None = None,
        dmarc: Literal["pass", "fail", "softfail", "neutral", "policy", "none", "temperror", "permerror"]
        | None = None,
        dmarc_domain: str | None = None,
        spam_score: float | None = None,
        spam_action: Literal["no action", "greylist", "add header", "rewrite subject", "soft reject", "reject"]
        | None = None,
        virus: str | None = None,
        malformed: Sequence[
            Literal[
                "duplicate_field",
                "broken_boundary",
                "no_terminator",
                "eight_bit_header",
                "bare_line_end",
                "null_octet",
                "undecodable_word",
                "long_line",
                "unknown_encoding",
                "deep",
                "too_many_parts",
                "no_field",
            ]
        ]
        | None = None,
    ) -> MessageExplanation:
        """Say what would become of a message, and why."""
        return await self._api.one_of(
            MessageExplanation,
            "ext/explain-message",
            {
                "from": from_,
                "to": to,
                "headerFrom": header_from,
                "sourceIp": source_ip,
                "at": at,
                "policyId": policy_id,
                "spf": spf,
                "spfDomain": spf_domain,
                "dkim": dkim,
                "dkimDomain": dkim_domain,
                "dmarc": dmarc,
                "dmarcDomain": dmarc_domain,
                "spamScore": spam_score,
                "spamAction": spam_action,
                "virus": virus,
                "malformed": malformed,
            },
        )

    async def explain_web(
        self,
        *,
        url: str | None = None,
        user: str | None = None,
        source_ip: str | None = None,
        at: str | None = None,
        policy_id: str | None = None,
        decision_id: str | None = None,
    ) -> WebExplanation:
        """Say what would become of a web request, and why."""
        return await self._api.one_of(
            WebExplanation,
            "ext/explain-web",
            {
                "url": url,
                "user": user,
                "sourceIp": source_ip,
                "at": at,
                "policyId": policy_id,
                "decisionId": decision_id,
            },
        )
