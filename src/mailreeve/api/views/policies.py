"""Policies as the API 2.0 has them: a flat object, whose targets and dates have other names (api.md 3.2.5)."""

from __future__ import annotations

from typing import Final

from mailreeve.api.views.view import Asked, Members, Perform, Told, View, page

ROOT: Final = "/policy-management/cloud-gateway/v1/"
_FAMILIES: Final = {
    "blocked-senders": "policy/blockedsenders",
    "anti-spoofing": "ext/antispoofing",
    "anti-spoofing-bypass": "policy/antispoofing-bypass",
}
_DATES: Final = {"fromDateTime": "fromDate", "toDateTime": "toDate"}
_NEW_DATES: Final = {old: new for new, old in _DATES.items()}
_OF_ITEM: Final = ("id", "policyId", "option")
"""What stands beside the policy object in the API 1.0."""


def _views(name: str, functions: str) -> tuple[View, ...]:
    path = f"{ROOT}{name}/policies"

    def create(asked: Asked, perform: Perform) -> Told:
        """Make a policy."""
        (row,) = perform(f"{functions}/create-policy", [_item(asked.body)], {}).done()
        return Told(201, {"policyId": row["id"], "id": row["id"]})

    def read(asked: Asked, perform: Perform) -> Told:
        """One policy."""
        return Told(200, _shown(_one(functions, asked, perform)))

    def every(asked: Asked, perform: Perform) -> Told:
        """All policies."""
        found = perform(f"{functions}/get-policy", [], asked.paging())
        rows = [_shown(row) for row in found.done()]
        return Told(200, page("definitions", rows, found.next, "policies"))

    def change(asked: Asked, perform: Perform) -> Told:
        """Change a policy: what is sent changes, the rest stays.

        So it is (RFC 5789) also where both targets are sent, which in the API 1.0
        would replace the whole."""
        old = _shown(_one(functions, asked, perform))
        for bound, eternal in (("fromDateTime", "fromEternal"), ("toDateTime", "toEternal")):
            if asked.body.get(eternal) is True or (bound in asked.body and eternal not in asked.body):
                old.pop(bound, None)
                old.pop(eternal, None)
        perform(f"{functions}/update-policy", [{"id": asked.id, **_item(old | asked.body)}], {}).done()
        return Told(204)

    def delete(asked: Asked, perform: Perform) -> Told:
        """Delete a policy."""
        perform(f"{functions}/delete-policy", [{"id": asked.id}], {}).done()
        return Told(204)

    return (
        View("POST", path, create),
        View("GET", path, every),
        View("GET", f"{path}/{{id}}", read),
        View("PATCH", f"{path}/{{id}}", change),
        View("DELETE", f"{path}/{{id}}", delete),
    )


def _one(functions: str, asked: Asked, perform: Perform) -> Members:
    (row,) = perform(f"{functions}/get-policy", [{"id": asked.id}], {}).done()
    return row


def _item(body: Members) -> Members:
    """The item of the API 1.0 that says the same."""
    policy: Members = {}
    for name, value in body.items():
        if name in ("from", "to"):
            policy[name] = _target(value)
        elif name not in _OF_ITEM:
            policy[_DATES.get(name, name)] = value
    item: Members = {"policy": policy}
    return item | {"option": body["option"]} if "option" in body else item


def _target(value: object) -> object:
    if not isinstance(value, dict):
        return value
    made = dict(value)
    if "domain" in made:
        made["emailDomain"] = made.pop("domain")
    group = made.pop("group", None)
    if isinstance(group, dict) and "groupId" not in made:
        made["groupId"] = group.get("id")
    return made


def _shown(row: Members) -> Members:
    """A policy as the API 2.0 shows it."""
    policy = row["policy"]
    if not isinstance(policy, dict):
        raise AssertionError("a policy answer has a policy object")
    shown: Members = {"id": row["id"], "policyId": row["id"], "option": row.get("option")}
    name: str
    for name, value in policy.items():
        if name in ("from", "to"):
            shown[name] = _shown_target(value)
        elif name not in ("fromType", "toType", "fromValue", "toValue"):
            shown[_NEW_DATES.get(name, name)] = value
    return shown


def _shown_target(value: object) -> object:
    if not isinstance(value, dict):
        return value
    made = dict(value)
    if "emailDomain" in made:
        made["domain"] = made.pop("emailDomain")
    if "groupId" in made:
        made["group"] = {"id": made["groupId"]}
    return made


VIEWS: Final = tuple(view for name, functions in _FAMILIES.items() for view in _views(name, functions))
