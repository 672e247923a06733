"""The functions of spam scanning. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from mailreeve.client.functions.shapes import (
    PolicyAnswer,
    PolicyItem,
)
from mailreeve.client.policies import Policy

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class ActionsAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"reject_score": "rejectScore", "spam_score": "spamScore", "subject_prefix": "subjectPrefix"},
):
    """What the policy does. Scores are null where the engine decides."""

    reject: str = ""
    spam: str = ""
    greylist: str = ""
    virus: str = ""
    malformed: str = ""
    reject_score: float | None = None
    spam_score: float | None = None
    subject_prefix: str = ""


class ActionsItem(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"reject_score": "rejectScore", "spam_score": "spamScore", "subject_prefix": "subjectPrefix"},
):
    """What to do; of what is left out, a new policy takes what holds without any, and an old one keeps its
    own. `reject`, `spam`, `greylist` and `virus` are about what the spam engine says, `malformed` about the
    form of the message. From `reject_score` and `spam_score` on mail counts as such, whatever the engine
    would do at it; 0 leaves that to the engine again. `subject_prefix` is put before the subject of what is
    tagged.
    """

    reject: Literal["refuse", "hold", "tag"] | None = None
    spam: Literal["hold", "tag", "nothing"] | None = None
    greylist: Literal["put_off", "nothing"] | None = None
    virus: Literal["refuse", "hold"] | None = None
    malformed: Literal["note", "hold", "refuse"] | None = None
    reject_score: float | None = None
    spam_score: float | None = None
    subject_prefix: str | None = None


class DeletedSpamPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that is gone."""

    id: str = ""
    deleted: bool = False


class SpamPolicyAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A spam scanning policy."""

    id: str = ""
    policy: PolicyAnswer = field(default_factory=lambda: PolicyAnswer())
    actions: ActionsAnswer = field(default_factory=lambda: ActionsAnswer())


class SpamScanningFunctions:
    """What can be asked about spam scanning."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_policy(
        self,
        *,
        policy: PolicyItem | Policy | Mapping[str, object],
        actions: ActionsItem | Mapping[str, object] | None = None,
    ) -> SpamPolicyAnswer:
        """Create a spam scanning policy."""
        return self._api.one_of(
            SpamPolicyAnswer, "ext/spam-policies/create-policy", {"policy": policy, "actions": actions}
        )

    def update_policy(
        self,
        *,
        id: str,
        policy: PolicyItem | Policy | Mapping[str, object] | None = None,
        actions: ActionsItem | Mapping[str, object] | None = None,
    ) -> SpamPolicyAnswer:
        """Change a spam scanning policy."""
        return self._api.one_of(
            SpamPolicyAnswer, "ext/spam-policies/update-policy", {"id": id, "policy": policy, "actions": actions}
        )

    def get_policy(self, *, id: str | None = None, page_size: int | None = None) -> Iterator[SpamPolicyAnswer]:
        """Return one spam scanning policy, or all of them."""
        return self._api.every_of(
            SpamPolicyAnswer, "ext/spam-policies/get-policy", {"id": id}, page_size=page_size
        )

    def delete_policy(self, *, id: str) -> DeletedSpamPolicy:
        """Delete a spam scanning policy."""
        return self._api.one_of(DeletedSpamPolicy, "ext/spam-policies/delete-policy", {"id": id})


class AsyncSpamScanningFunctions:
    """What can be asked about spam scanning."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_policy(
        self,
        *,
        policy: PolicyItem | Policy | Mapping[str, object],
        actions: ActionsItem | Mapping[str, object] | None = None,
    ) -> SpamPolicyAnswer:
        """Create a spam scanning policy."""
        return await self._api.one_of(
            SpamPolicyAnswer, "ext/spam-policies/create-policy", {"policy": policy, "actions": actions}
        )

    async def update_policy(
        self,
        *,
        id: str,
        policy: PolicyItem | Policy | Mapping[str, object] | None = None,
        actions: ActionsItem | Mapping[str, object] | None = None,
    ) -> SpamPolicyAnswer:
        """Change a spam scanning policy."""
        return await self._api.one_of(
            SpamPolicyAnswer, "ext/spam-policies/update-policy", {"id": id, "policy": policy, "actions": actions}
        )

    def get_policy(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[SpamPolicyAnswer]:
        """Return one spam scanning policy, or all of them."""
        return self._api.every_of(
            SpamPolicyAnswer, "ext/spam-policies/get-policy", {"id": id}, page_size=page_size
        )

    async def delete_policy(self, *, id: str) -> DeletedSpamPolicy:
        """Delete a spam scanning policy."""
        return await self._api.one_of(DeletedSpamPolicy, "ext/spam-policies/delete-policy", {"id": id})
