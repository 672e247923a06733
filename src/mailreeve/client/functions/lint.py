"""The functions of lint. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class FindingAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding. The first of `policies` is at fault, the others are what it is at odds with; of many that
    are alike the first are named, and `count` is how many there are. `harmless` marks what changes no
    decision.
    """

    kind: str = ""
    level: str = ""
    why: str = ""
    advice: str = ""
    policies: tuple[SubjectAnswer, ...] = ()
    count: int = 0
    harmless: bool = False


class LintAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The findings, warnings before notes. `counts` is how many of each kind were found; `truncated` tells
    that not all of them are listed, or not all policies looked at, with `why`.
    """

    findings: tuple[FindingAnswer, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    truncated: bool = False
    why: str = ""
    revision: int = 0


class SubjectAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An object that a finding names."""

    type: str = ""
    id: str = ""
    description: str = ""


class LintFunctions:
    """What can be asked about lint."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def lint_policies(
        self,
        *,
        kind: Literal[
            "unreadable",
            "shadowed",
            "never_matches",
            "empty_group",
            "expired",
            "expired_targets",
            "not_started",
            "tied",
            "unknown_recipient",
            "permit_under_block",
            "inside_permit",
            "nothing_authenticates",
            "bypass_for_all",
            "deep_group",
            "ended_membership",
            "list_not_asked",
            "before_alteration",
            "empty_set",
            "unused_set",
            "external_original",
            "web_contradiction",
            "url_not_enforced",
            "www_twin",
            "denies_all",
            "denies_everyone",
            "not_at_dns",
            "no_engine",
        ]
        | None = None,
        level: Literal["warning", "note"] | None = None,
        at: str | None = None,
    ) -> LintAnswer:
        """Say which policies can never win, win by chance, or come to nothing."""
        return self._api.one_of(LintAnswer, "ext/lint-policies", {"kind": kind, "level": level, "at": at})


class AsyncLintFunctions:
    """What can be asked about lint."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def lint_policies(
        self,
        *,
        kind: Literal[
            "unreadable",
            "shadowed",
            "never_matches",
            "empty_group",
            "expired",
            "expired_targets",
            "not_started",
            "tied",
            "unknown_recipient",
            "permit_under_block",
            "inside_permit",
            "nothing_authenticates",
            "bypass_for_all",
            "deep_group",
            "ended_membership",
            "list_not_asked",
            "before_alteration",
            "empty_set",
            "unused_set",
            "external_original",
            "web_contradiction",
            "url_not_enforced",
            "www_twin",
            "denies_all",
            "denies_everyone",
            "not_at_dns",
            "no_engine",
        ]
        | None = None,
        level: Literal["warning", "note"] | None = None,
        at: str | None = None,
    ) -> LintAnswer:
        """Say which policies can never win, win by chance, or come to nothing."""
        return await self._api.one_of(LintAnswer, "ext/lint-policies", {"kind": kind, "level": level, "at": at})
