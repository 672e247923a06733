"""Is somebody about to stop the mail of a whole organisation by mistake (behaviour.md section 11, 1)?

Asked wherever a change could: a policy that blocks is made or changed, a group that such a policy names gets a
member or moves, and a policy of another family is widened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mailreeve.families.directory import facts as directory_facts
from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.errors import POLICY_REACH
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.guard import ReachGuard
from mailreeve.policy.lint.reach import reach, reach_words
from mailreeve.policy.model.facts import Directory
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, Scope
from mailreeve.policy.model.wording import quoted, target_words
from mailreeve.store.changes import Part
from mailreeve.wire.errors import refused


def guard_block(
    call: Call, option: BlockedOption, scope: Scope, description: str, confirmed: bool | None = None
) -> None:
    """Warn of a block that hits a whole organisation, or refuse it, unless it is said to be meant
    (behaviour.md section 12, row 3). A caller who says that it may not be meant is asked, whatever the setting.
    Raises `ItemRefused`."""
    guard = _guard(call, confirmed)
    if guard is ReachGuard.OFF:
        return
    found = reach(option, scope, Coverage(call.identities.at(_now(call))), _now(call))
    if found.wide:
        _object(
            call, guard, f"This policy would block {found.words}", f"{quoted(description)} blocks {found.words}"
        )


def guard_groups(call: Call, group_ids: Iterable[str], confirmed: bool | None = None) -> None:
    """As `guard_block`, of the policies that name one of these groups, after all that this call has changed in the
    directory: a group can become everybody's when a policy is bound to it already. Policies that were as wide
    before the call are not told of. Raises `ItemRefused`."""
    guard = _guard(call, confirmed)
    if guard is ReachGuard.OFF:
        return
    used = groups.used_by(call.work, group_ids)
    if not used:
        return
    policies = [policy for policy in map(call.policies.blocked.get, used) if policy is not None]
    if not policies:
        return
    identities = call.policies.identities
    changes = directory_facts.load_some(call.work, call.work.touched_by_part()[Part.DIRECTORY])
    before, after = (Coverage(one.at(_now(call))) for one in (identities, identities.changed(changes)))
    for policy in policies:
        found = _reach(policy, after, _now(call))
        if found is not None and _reach(policy, before, _now(call)) is None:
            would = f"With this, {quoted(policy.description)} blocks {found}"
            _object(call, guard, would, would)


def warn_of_widening(
    call: Call,
    what: str,
    before: Sequence[Scope],
    after: Sequence[Scope],
    words: Callable[[Scope, Directory], str] = reach_words,
) -> None:
    """Say so where a change makes a policy that does not block concern a whole organisation, which it did not
    before: a scope that was left out is widened without a word otherwise."""
    if call.installation.reach_guard is ReachGuard.OFF:
        return
    now = _now(call)
    coverage = Coverage(call.identities.at(now))
    if any(_concerns_all(scope, coverage, now) for scope in before):
        return
    for scope in after:
        if _concerns_all(scope, coverage, now):
            call.warnings.append(f"{what} {words(scope, coverage.directory)}, which it did not before")
            return


def guard_web(call: Call, what: str, scopes: Sequence[Scope], confirmed: bool | None) -> None:
    """Warn of what stops the browsing of a whole organisation, or refuse it, unless it is said to be meant: as
    `guard_block`. Raises `ItemRefused`."""
    guard = _guard(call, confirmed)
    if guard is ReachGuard.OFF:
        return
    now = _now(call)
    coverage = Coverage(call.identities.at(now))
    wide = next((scope for scope in scopes if _concerns_all(scope, coverage, now)), None)
    if wide is not None:
        said = f"{what} {web_users(wide, coverage.directory)}"
        _object(call, guard, said, said)


def web_users(scope: Scope, directory: Directory) -> str:
    """Whose browsing a scope is about."""
    return target_words(scope.from_, directory.group_names)


def _guard(call: Call, confirmed: bool | None) -> ReachGuard:
    if confirmed:
        return ReachGuard.OFF
    return ReachGuard.REFUSE if confirmed is False else call.installation.reach_guard


def _object(call: Call, guard: ReachGuard, refusal: str, warning: str) -> None:
    if guard is ReachGuard.REFUSE:
        message = f'{refusal}; if that is meant, send "confirmReach": true with it'
        raise refused(POLICY_REACH, "confirmReach", message)
    warning = f'{warning}; "confirmReach": true says that this is meant'
    if warning not in call.warnings:
        call.warnings.append(warning)


def _reach(policy: BlockedSenderPolicy, coverage: Coverage, now: float) -> str | None:
    """The reach of a policy if it is wide."""
    found = reach(policy.option, policy.scope, coverage, now)
    return found.words if found.wide and not policy.relay_guard else None


def _concerns_all(scope: Scope, coverage: Coverage, now: float) -> bool:
    return reach(BlockedOption.BLOCK_SENDER, scope, coverage, now).wide


def _now(call: Call) -> float:
    return call.work.now.timestamp()
