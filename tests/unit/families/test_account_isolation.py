"""Nothing of one account is shown to another, changed by it, or told apart from what does not exist.

Two accounts in one database are filled alike. For every endpoint of the registry there is a sample that is carried
out in the first account, made of what that account holds. Then each thing that the sample names is exchanged for
the second account's counterpart, one at a time and all at once, and for one that nobody ever had: both must be
answered alike. Every statement that ran meanwhile is read: each table in it is bound to the account.

An endpoint without a sample fails the first test.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import uuid
from base64 import b32encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from typing import NamedTuple

import msgspec
import pytest
from held_copies import hold, kept
from msgspec.structs import replace
from sqlalchemy import Delete, Insert, Select, Update, event, select
from sqlalchemy.dialects import sqlite
from tests.unit.families.conftest import Account, copied, services_on

import mailreeve
from mailreeve.families.directory.domains.proof import Found, ask_by
from mailreeve.families.directory.sync import ldap
from mailreeve.families.directory.sync.ldap import Person, Snapshot
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.login import keys
from mailreeve.families.machinery.directory_source import DirectorySource
from mailreeve.families.registry import ENDPOINTS, seed_account
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.families.web_log import rows as web_records
from mailreeve.families.web_log.access import BlockedRequests
from mailreeve.families.web_log.record import WebRecord
from mailreeve.policy.model.decisions import SpamChecks, WebVerdict
from mailreeve.store.keys import new_key
from mailreeve.store.schema import account as account_table
from mailreeve.store.schema import metadata
from mailreeve.wire.tokens import KEY_OCTETS, Ids, Kind

World = Mapping[str, str]
Sample = Callable[[World], dict[str, object]]

BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


def scope(w: World) -> dict[str, object]:
    """A policy object that names a group, an attribute and an address."""
    return {
        "description": "a sample",
        "from": {"type": "profile_group", "groupId": w["group"]},
        "to": {"type": "individual_email_address", "emailAddress": w["ann"]},
    }


def by_attribute(w: World) -> dict[str, object]:
    attribute = {"id": w["attribute"], "value": "red"}
    return {
        "description": "a sample",
        "from": {"type": "email_domain", "emailDomain": w["domain"]},
        "to": {"type": "address_attribute_value", "attribute": attribute},
    }


def web_targets(w: World, **more: str) -> list[dict[str, object]]:
    """A group and an address whose requests a list is for."""
    everyone = {"type": "everyone"}
    return [
        {**scope(w), "to": everyone, **more},
        {
            "description": "a sample",
            "from": {"type": "individual_email_address", "emailAddress": w["ann"]},
            "to": everyone,
        },
    ]


def web_entry(w: World) -> dict[str, object]:
    return {"id": w["web entry"], "action": "block", "type": "domain", "value": w["outside domain"]}


CODES: list[str] = []  # of the domains that wait, of every account


def in_the_dns() -> dict[str, object]:
    """Have the DNS hold every code, at whichever domain."""
    ask_by(lambda domain: Found(CODES))
    return {}


SAMPLES: dict[str, list[Sample]] = {
    "managedsender/permit-or-block-sender": [
        lambda w: {"sender": w["outsider"], "to": w["ann"], "action": "permit"},
        lambda w: {"sender": w["outside domain"], "to": w["alias"], "action": "block"},
    ],
    "ext/get-managed-senders": [
        lambda w: {"to": w["ann"]},
        lambda w: {"to": w["alias"], "sender": w["listed sender"]},
        lambda w: {"text": w["listed sender"]},
    ],
    "ext/remove-managed-sender": [
        lambda w: {"id": w["managed"]},
        lambda w: {"to": w["ann"], "sender": w["listed sender"]},
    ],
    "policy/blockedsenders/create-policy": [
        lambda w: {"option": "block_sender", "policy": scope(w)},
        lambda w: {"option": "block_sender", "policy": by_attribute(w)},
        lambda w: {"id": w["blocked"], "option": "no_action", "policy": scope(w)},
    ],
    "policy/blockedsenders/update-policy": [
        lambda w: {"id": w["blocked"], "option": "no_action", "policy": scope(w)},
        lambda w: {"id": w["blocked"], "option": "no_action", "policy": by_attribute(w)},
    ],
    "policy/blockedsenders/get-policy": [lambda w: {"id": w["blocked"]}],
    "policy/blockedsenders/delete-policy": [lambda w: {"id": w["blocked"]}],
    "ext/permittedsenders/create-policy": [lambda w: {"policy": scope(w)}],
    "ext/permittedsenders/update-policy": [lambda w: {"id": w["permitted"], "policy": scope(w)}],
    "ext/permittedsenders/get-policy": [lambda w: {"id": w["permitted"]}],
    "ext/permittedsenders/delete-policy": [lambda w: {"id": w["permitted"]}],
    "ext/antispoofing/create-policy": [lambda w: {"option": "hold", "policy": scope(w)}],
    "ext/antispoofing/update-policy": [lambda w: {"id": w["spoofing"], "option": "tag", "policy": scope(w)}],
    "ext/antispoofing/get-policy": [lambda w: {"id": w["spoofing"]}],
    "ext/antispoofing/delete-policy": [lambda w: {"id": w["spoofing"]}],
    "policy/antispoofing-bypass/create-policy": [lambda w: {"option": "enable_bypass", "policy": scope(w)}],
    "policy/antispoofing-bypass/update-policy": [
        lambda w: {"id": w["bypass"], "option": "disable_bypass", "policy": scope(w)}
    ],
    "policy/antispoofing-bypass/get-policy": [lambda w: {"id": w["bypass"]}],
    "policy/antispoofing-bypass/delete-policy": [lambda w: {"id": w["bypass"]}],
    "ext/spam-policies/create-policy": [lambda w: {"policy": scope(w), "actions": {"spam": "tag"}}],
    "ext/spam-policies/update-policy": [
        lambda w: {"id": w["spam"], "policy": scope(w), "actions": {"subjectPrefix": "[Spam]"}},
        lambda w: {"id": w["spam"], "actions": {"spam": "hold"}},
    ],
    "ext/spam-policies/get-policy": [lambda w: {"id": w["spam"]}],
    "ext/spam-policies/delete-policy": [lambda w: {"id": w["spam"]}],
    "ext/find-policies": [
        lambda w: {"id": w["permitted"]},
        lambda w: {"id": w["web"]},
        lambda w: {"to": w["ann"], "groupId": w["group"]},
        lambda w: {"matching": w["outsider"], "matchingTo": w["ann"]},
        lambda w: {"idPrefix": w["blocked"]},
    ],
    "policy/webwhiteurl/create-policy-with-targets": [
        lambda w: {
            "description": "a sample",
            "policies": web_targets(w),
            "urls": [{"action": "block", "type": "domain", "value": w["outside domain"]}],
        }
    ],
    "policy/webwhiteurl/get-policy-with-targets": [lambda w: {"id": w["web"]}],
    "policy/webwhiteurl/update-policy-with-targets": [
        lambda w: {"id": w["web"], "policies": web_targets(w, id=w["web target"]), "urls": [web_entry(w)]}
    ],
    "ext/add-web-entries": [
        lambda w: {
            "id": w["web"],
            "urls": [{"action": "allow", "type": "domain", "value": w["outside domain"]}],
        }
    ],
    "ext/remove-web-entries": [lambda w: {"id": w["web"], "urls": [{"id": w["web entry"]}]}],
    "ext/import-web-entries": [
        lambda w: {
            "name": w["web name"],
            "urls": [{"action": "allow", "type": "domain", "value": w["outside domain"]}],
        }
    ],
    "ext/export-web-file": [lambda w: {"format": "hosts", "user": w["ann"]}],
    "ext/get-pac-file": [lambda w: {"proxies": ["proxy.test:3128"], "direct": [w["domain"]]}],
    "ext/set-web-default-deny": [lambda w: {"id": w["web"], "defaultDeny": True}],
    "ext/get-web-default-deny": [lambda w: {}],
    "ext/allow-web": [
        lambda w: {"value": w["outside domain"], "user": w["ann"], "until": w["until"], "reason": "a sample"}
    ],
    "ext/get-web-allows": [lambda w: {"user": w["ann"]}, lambda w: {}],
    "ext/remove-web-allow": [lambda w: {"id": w["allow"]}],
    "ttp/url/create-managed-url": [
        lambda w: {"url": w["managed url"] + "/new"},
        lambda w: {"url": w["outside domain"], "matchType": "domain"},
    ],
    "ttp/url/get-all-managed-urls": [
        lambda w: {"domainOrUrl": w["managed url"]},
        lambda w: {"domainOrUrl": w["managed url"], "exactMatch": True},
        lambda w: {},
    ],
    "ttp/url/delete-managed-url": [lambda w: {"id": w["managed url id"]}],
    "ttp/url/decode-url": [lambda w: {"url": w["managed url"]}],
    "ttp/url/get-logs": [lambda w: {"from": "2020-01-01T00:00:00+0000"}],
    "ttp/attachment/get-logs": [lambda w: {}],
    "ttp/impersonation/get-logs": [lambda w: {"query": w["ann"]}],
    "provisioning/get-packages": [lambda w: {}],
    "ext/create-web-proxy": [lambda w: {"name": w["proxy name"] + " new", "kind": "caddy"}],
    "ext/get-web-proxies": [lambda w: {}],
    "ext/delete-web-proxy": [lambda w: {"id": w["proxy"]}],
    "policy/webwhiteurl/delete-policy-with-targets": [lambda w: {"id": w["web"]}],
    "ext/create-web-location": [lambda w: {"name": w["new place"], "networks": ["192.0.2.0/24"]}],
    "ext/get-web-locations": [lambda w: {"id": w["location"]}],
    "ext/update-web-location": [lambda w: {"id": w["location"], "networks": ["192.0.2.0/25"]}],
    "ext/delete-web-location": [lambda w: {"id": w["spare location"]}],
    "ext/set-web-clients": [
        lambda w: {"network": "198.51.100.9", "user": w["ann"]},
        lambda w: {"network": "198.51.100.9", "location": w["place"]},
    ],
    "ext/get-web-clients": [lambda w: {}],
    "ext/remove-web-clients": [lambda w: {"network": w["client"]}],
    "ext/find-web-records": [
        lambda w: {"user": w["ann"]},
        lambda w: {"policyId": w["web"], "verdict": "block"},
        lambda w: {"domain": w["outside domain"]},
    ],
    "ext/get-web-record": [lambda w: {"id": w["web record"]}],
    "ext/get-web-access-requests": [lambda w: {}],
    "ext/close-web-access-request": [lambda w: {"id": w["access request"]}],
    "policy/address-alteration/create-address-alteration-set": [
        lambda w: {"description": "a sample", "parentId": w["set"]}
    ],
    "policy/address-alteration/get-address-alteration-set": [
        lambda w: {"id": w["set"], "depth": 9},
        lambda w: {"folderId": w["set"]},
    ],
    "policy/address-alteration/create-definition": [
        lambda w: {
            "folderId": w["set"],
            "addressAlterations": [
                {
                    "originalAddress": w["ann"],
                    "newAddress": w["boss"],
                    "addressType": "envelope_to",
                    "routing": "inbound",
                }
            ],
        }
    ],
    "policy/address-alteration/get-definition": [
        lambda w: {"folderId": w["set"]},
        lambda w: {"originalAddress": w["ann"]},
        lambda w: {"newAddress": w["rewritten"]},
    ],
    "policy/address-alteration/delete-definition": [lambda w: {"id": w["definition"]}],
    "policy/address-alteration/create-policy": [
        lambda w: {"addressAlterationSetId": w["set"], "policy": scope(w)}
    ],
    "policy/address-alteration/get-policy": [lambda w: {"id": w["alteration"]}],
    "policy/address-alteration/update-policy": [
        lambda w: {"id": w["alteration"], "addressAlterationSetId": w["set"], "policy": scope(w)}
    ],
    "policy/address-alteration/delete-policy": [lambda w: {"id": w["alteration"]}],
    "user/add-delegate-user": [lambda w: {"primaryAddress": w["boss"], "delegateAddress": w["ann"]}],
    "user/find-delegate-users": [lambda w: {"primaryAddress": w["ann"]}],
    "user/remove-delegate-user": [lambda w: {"id": w["right"]}],
    "user/create-user": [
        lambda w: {"emailAddress": w["new"], "name": "New", "accountCode": w["code"]},
    ],
    "user/update-user": [
        lambda w: {"emailAddress": w["ann"], "name": "New", "accountLocked": True},
        lambda w: {"emailAddress": w["alias"]},
    ],
    "user/get-internal-users": [lambda w: {"domain": w["domain"]}],
    "user/get-profile": [lambda w: {"emailAddress": w["ann"]}, lambda w: {"emailAddress": w["alias"]}],
    "user/get-aliases": [lambda w: {"emailAddress": w["ann"]}],
    "user/update-alias": [lambda w: {"alias": w["new"], "aliasFor": w["ann"]}],
    "user/remove-alias": [
        lambda w: {"alias": w["alias"], "aliasFor": w["ann"]},
        lambda w: {"alias": w["alias"]},
    ],
    "user/get-attributes": [lambda w: {"emailAddress": w["ann"]}],
    "user/update-attributes": [
        lambda w: {"emailAddress": w["ann"], "attributes": [{"id": w["attribute"], "value": "blue"}]},
        lambda w: {"emailAddress": w["ann"], "attributes": [{"name": w["attribute name"], "value": "blue"}]},
        lambda w: {"emailAddress": w["ann"], "attributes": [{"name": w["attribute name"]}]},
    ],
    "attribute/find-attribute-types": [lambda w: {}],
    "directory/create-group": [lambda w: {"description": "a sample", "parentId": w["group"]}],
    "directory/update-group": [lambda w: {"id": w["spare"], "description": "New", "parentId": w["group"]}],
    "directory/delete-group": [lambda w: {"id": w["spare"]}],
    "directory/get-group": [lambda w: {"id": w["group"]}],
    "directory/find-groups": [lambda w: {"query": w["group name"]}],
    "directory/get-group-members": [lambda w: {"id": w["group"]}],
    "directory/add-group-member": [
        lambda w: {"id": w["spare"], "emailAddress": w["ann"]},
        lambda w: {"id": w["spare"], "domain": w["domain"]},
    ],
    "directory/remove-group-member": [lambda w: {"id": w["group"], "emailAddress": w["outsider"]}],
    "domain/get-internal-domain": [lambda w: {"domain": w["domain"]}],
    "domain/create-domain": [lambda w: {"domain": w["new domain"]}],
    "directory/get-connection": [lambda w: {}],
    "directory/execute-sync": [lambda w: {}],
    "ext/preview-directory-sync": [lambda w: {}],
    "user/add-to-purge-list": [lambda w: {"emailAddresses": [w["cleo"], w["ann"]]}],
    "user/remove-from-purge-list": [lambda w: {"emailAddresses": [w["ann"]]}],
    "ext/get-purge-list": [lambda w: {}],
    "user/import-users": [lambda w: {"file": f"email,name\n{w['new']},New\n"}],
    "user/get-import-status": [lambda w: {"id": w["import"]}],
    "user/get-most-used-contacts": [lambda w: {}],
    "domain/get-pending-domain": [lambda w: {"domain": w["pending domain"]}],
    "domain/get-verification-code": [lambda w: {"domain": w["pending domain"]}],
    "domain/get-provision-status": [lambda w: {"domain": w["pending domain"]}, lambda w: {"domain": w["domain"]}],
    "domain/verify-domain": [lambda w: in_the_dns() | {"domain": w["pending domain"]}],
    "domain/delete-pending-domain": [
        lambda w: {"domain": w["pending domain"]},
        lambda w: {"id": w["pending id"]},
    ],
    "ext/update-domain": [lambda w: {"domain": w["domain"], "inboundType": "known"}],
    "ext/remove-domain": [lambda w: {"domain": w["domain"], "withUsers": True}],
    "ext/find-users": [
        lambda w: {"domain": w["domain"], "locked": False, "query": "ann"},
        lambda w: {"groupId": w["group"]},
    ],
    "ext/describe-user": [lambda w: {"emailAddress": w["ann"]}, lambda w: {"emailAddress": w["alias"]}],
    "ext/rename-user": [
        lambda w: {"emailAddress": w["ann"], "newAddress": w["new"]},
        lambda w: {"emailAddress": w["ann"], "newAddress": w["new"], "keepAsAlias": False},
    ],
    "ext/remove-user": [lambda w: {"emailAddress": w["ann"], "force": True}],
    "ext/update-group-member": [
        lambda w: {"id": w["group"], "emailAddress": w["outsider"], "until": "2100-01-01T00:00:00Z"}
    ],
    "ext/remove-ended-members": [lambda w: {"id": w["group"]}],
    "account/get-support-info": [lambda w: {}],
    "account/get-dashboard-notifications": [lambda w: {}],
    "email/get-email-queues": [lambda w: {}],
    "account/get-account": [
        lambda w: {"accountCode": w["code"]},
        lambda w: {"accountName": w["account name"]},
        lambda w: {"adminEmail": w["admin"]},
    ],
    "ext/get-roles": [lambda w: {"role": w["role"]}],
    "ext/create-role": [lambda w: {"name": w["new role"], "permissions": ["Directories | Groups | Read"]}],
    "ext/update-role": [lambda w: {"role": w["role"], "description": "New"}],
    "ext/delete-role": [lambda w: {"role": w["spare role"]}],
    "ext/get-administrators": [lambda w: {}],
    "ext/add-administrator": [
        lambda w: {"emailAddress": w["new"], "role": w["role"]},
        lambda w: {"emailAddress": w["ann"], "role": w["spare role"]},
    ],
    "ext/remove-administrator": [lambda w: {"emailAddress": w["ann"]}],
    "ext/set-role": [
        lambda w: {"emailAddress": w["ann"], "role": w["spare role"]},
        lambda w: {"appId": w["app id"], "role": w["spare role"]},
    ],
    "ext/get-keys": [lambda w: {}],
    "ext/create-key": [lambda w: {"user": w["ann"], "role": w["role"], "expires": "2099-01-01"}],
    "ext/rotate-key": [lambda w: {"id": w["app id"]}, lambda w: {"id": w["access key"], "grace": 60}],
    "ext/revoke-key": [
        lambda w: {"ids": [w["client id"]]},
        lambda w: {"ids": [w["access key"]]},
        lambda w: {"ids": [w["app id"], w["access key"]]},
    ],
    "login/discover-authentication": [lambda w: {"emailAddress": w["ann"]}],
    "login/login": [
        lambda w: {"userName": w["boss"]},
        lambda w: {"username": w["boss"], "accessKey": w["access key"]},
    ],
    "login/logout": [lambda w: {}, lambda w: {"accessKey": w["access key"]}],
    "ext/change-password": [lambda w: {"newPassword": "a good new password"}],
    "ext/get-my-keys": [lambda w: {}],
    "ext/revoke-my-key": [lambda w: {"accessKey": w["access key"]}],
    "ext/explain-message": [
        lambda w: {"from": w["outsider"], "to": w["ann"], "policyId": w["blocked"], "sourceIp": "192.0.2.1"},
        lambda w: {"from": w["ann"], "to": w["outsider"], "policyId": w["alteration"], "headerFrom": w["boss"]},
        lambda w: {"from": w["outsider"], "to": w["alias"], "policyId": w["managed"]},
    ],
    "ext/explain-web": [
        lambda w: {"url": f"http://{w['outside domain']}/x", "user": w["ann"], "policyId": w["web"]},
        lambda w: {"url": f"http://{w['outside domain']}/x", "policyId": w["web entry"]},
    ],
    "ext/find-mail-records": [
        lambda w: {"from": w["outsider"], "to": w["ann"]},
        lambda w: {"from": w["outside domain"], "messageId": w["message id"], "after": w["record"]},
        lambda w: {"id": w["decision"], "policyId": w["managed"]},
        lambda w: {"exclude": [{"from": w["boss"]}, {"id": w["record decision"], "to": w["alias"]}]},
    ],
    "ext/get-mail-record": [
        lambda w: {"id": w["decision"]},
        lambda w: {"id": w["record"]},
        lambda w: {"messageId": w["message id"]},
    ],
    "message-finder/search": [
        lambda w: {"messageId": w["message id"]},
        lambda w: {"advancedTrackAndTraceOptions": {"from": w["outsider"], "to": w["ann"]}},
    ],
    "message-finder/get-message-info": [lambda w: {"id": w["record"]}],
    "gateway/get-hold-message-list": [
        lambda w: {"admin": True},
        lambda w: {"mailbox": w["ann"]},
        lambda w: {"admin": True, "searchBy": {"fieldName": "sender", "value": w["outsider"]}},
    ],
    "gateway/hold-release": [lambda w: {"id": w["held"]}],
    "gateway/hold-reject": [lambda w: {"ids": [w["held"], w["asked"]], "notify": True}],
    "gateway/get-hold-summary-list": [lambda w: {}],
    "gateway/get-held-release-logs": [lambda w: {}],
    "ext/show-held-message": [lambda w: {"id": w["held"]}],
    "ext/decide-held-messages": [
        lambda w: {"action": "release", "ids": [w["held"]], "sender": "permit"},
        lambda w: {"action": "reject", "search": {"mailbox": w["ann"]}, "sender": "block"},
    ],
    "ext/ask-held-release": [lambda w: {"id": w["held"], "reason": "mine"}],
    "ext/decline-held-release": [lambda w: {"id": w["asked"]}],
    "archive/get-message-list": [
        lambda w: {"mailbox": w["cleo"]},
        lambda w: {"mailbox": w["cleo"], "view": "INBOX"},
    ],
    "archive/get-message-detail": [lambda w: {"id": w["archived"]}],
    "archive/get-message-part": [
        lambda w: {"id": w["archived"], "type": "PLAIN"},
        lambda w: {"id": w["archived"], "type": "RFC822"},
    ],
    "audit/get-siem-logs": [lambda w: {"token": w["record"]}],
    "archive/get-file": [lambda w: {"id": w["archived"]}],
    "archive/search": [
        lambda w: {"admin": True, "query": f"<xmlquery><muse><text>from:{w['outsider']}</text></muse></xmlquery>"},
        lambda w: {
            "admin": True,
            "query": f"<xmlquery><metadata><mailbox>{w['cleo']}</mailbox></metadata></xmlquery>",
        },
    ],
    "archive/get-archive-search-logs": [lambda w: {"query": w["outsider"]}, lambda w: {}],
    "archive/get-search-logs": [lambda w: {"query": w["outsider"]}, lambda w: {}],
    "archive/get-view-logs": [lambda w: {"query": w["outsider"]}, lambda w: {}],
    "ext/find-archived-messages": [
        lambda w: {"from": w["outsider"], "mailbox": w["cleo"]},
        lambda w: {"text": f"from:{w['outsider']}"},
    ],
    "ext/set-legal-hold": [lambda w: {"id": w["archived"], "legalHold": True}],
    "ext/get-archive-retention": [lambda w: {}],
    "ext/set-archive-retention": [lambda w: {"days": 30}],
    "gateway/get-rejections": [
        lambda w: {"admin": True, "searchBy": {"fieldName": "to", "value": w["ann"]}},
        lambda w: {"mailbox": w["ann"]},
    ],
    "gateway/find-processing-messages": [
        lambda w: {"admin": True, "searchBy": {"fieldName": "fromAddress", "value": w["outsider"]}}
    ],
    "ext/get-digest": [lambda w: {}],
    "ext/get-web-zones": [lambda w: {}],
    "ext/set-digest": [lambda w: {"enabled": True, "groupId": w["group"], "sender": f"gate@{w['domain']}"}],
    "ext/send-digest": [lambda w: {}, lambda w: {"to": w["ann"]}, lambda w: {"to": w["alias"]}],
    "audit/get-audit-events": [
        lambda w: {
            "startDateTime": "2020-01-01T00:00:00+0000",
            "endDateTime": "2100-01-01T00:00:00+0000",
            "query": w["outsider"],
        },
        lambda w: {"startDateTime": "2020-01-01T00:00:00+0000", "endDateTime": "2100-01-01T00:00:00+0000"},
    ],
    "audit/get-categories": [lambda w: {}],
    "ext/find-audit-events": [lambda w: {"objectId": w["blocked"]}, lambda w: {"query": w["group name"]}],
    "ext/verify-audit": [lambda w: {}],
    "ext/get-history": [lambda w: {"objectId": w["blocked"]}, lambda w: {"objectId": w["web"]}],
    "ext/restore": [lambda w: {"eventId": w["event"]}, lambda w: {"eventId": w["event"], "before": True}],
    "ext/lint-policies": [lambda w: {}],
    "ext/replay-draft": [
        lambda w: {
            "draft": [
                {
                    "call": "policy/blockedsenders/update-policy",
                    "item": {"id": w["blocked"], "option": "block_sender", "policy": scope(w)},
                }
            ]
        },
        lambda w: {
            "draft": [{"call": "directory/add-group-member", "item": {"id": w["spare"], "emailAddress": w["ann"]}}]
        },
    ],
    "ext/import-users": [
        lambda w: {"rows": [{"address": w["new"], "aliases": f"x-{w['new']}", "attributes": {"Site": "x"}}]},
        lambda w: {"rows": [{"address": w["ann"], "name": "New"}]},
        lambda w: {"rows": [{"address": w["alias"]}], "dryRun": True},
    ],
    "ext/import-groups": [lambda w: {"rows": [{"group": "Sales/EMEA"}, {"group": "Sales"}]}],
    "ext/import-members": [
        lambda w: {"rows": [{"group": f"{w['group name']}/{w['group name']} too", "address": w["ann"]}]},
        lambda w: {"rows": [{"group": w["group name"], "domain": w["outside domain"], "notes": "x"}]},
    ],
    "ext/import-senders": [
        lambda w: {"rows": [{"to": w["ann"], "sender": w["outsider"], "action": "permit"}]},
        lambda w: {"rows": [{"to": w["alias"], "sender": w["outside domain"], "action": "block"}]},
    ],
    "ext/import-blocks": [
        lambda w: {
            "rows": [
                {
                    "description": "a sample",
                    "option": "block_sender",
                    "from": f"group:{w['group name']}",
                    "to": w["ann"],
                }
            ]
        },
        lambda w: {
            "rows": [
                {
                    "description": "a sample",
                    "option": "block_sender",
                    "from": w["outsider"],
                    "to": f"attribute:{w['attribute name']}=red",
                }
            ]
        },
    ],
    "ext/import-web": [
        lambda w: {
            "rows": [
                {"policy": "x", "type": "domain", "value": w["outside domain"], "action": "block", "for": w["ann"]}
            ]
        }
    ],
    "ext/import-delegates": [lambda w: {"rows": [{"primary": w["boss"], "delegate": w["ann"]}]}],
    "ext/export-users": [lambda w: {}],
    "ext/export-groups": [lambda w: {}],
    "ext/export-members": [lambda w: {}],
    "ext/export-senders": [lambda w: {}],
    "ext/export-blocks": [lambda w: {}],
    "ext/export-web": [lambda w: {}],
    "ext/export-delegates": [lambda w: {}],
}

TOLD = {("domain/create-domain", "new domain"): "err_domain_already_exists"}
"""What is told of another account: that a domain is taken, since mail can go to one account only."""

ONE_OF = (
    *("message-finder/search", "gateway/get-hold-message-list", "archive/get-message-list", "ext/get-history"),
)
"""Functions that list nothing where nothing is asked for."""

PERSONAL = {path for path in SAMPLES if path.startswith("login/") or "-my-" in path} | {"ext/change-password"}
"""Functions about the caller, who is the boss then, with the keys that the samples name."""

MARK, DOMAIN = "zqmarker", "zqmarker.test"


def whole_list(w: World) -> dict[str, object]:
    return {}


def fill(account: Account, mark: str, domain: str) -> dict[str, str]:
    """Give an account two of everything that is listed; what a sample may name of it."""

    def call(path: str, **item: object) -> dict:
        (answer,) = account.call(path, {name.rstrip("_"): value for name, value in item.items()})
        return answer

    account.write(seed_account)
    w = {
        "domain": domain,
        "new domain": f"new-{domain}",
        "outside domain": f"{mark}-shop.test",
        "outsider": f"friend@{mark}-shop.test",
        "attribute name": f"{mark} team",
        "group name": f"{mark} group",
        "rewritten": f"{mark}@{domain}",
    }
    w |= {name: f"{name}@{domain}" for name in ("ann", "boss", "alias", "new", "cleo")}
    call("domain/create-domain", domain=domain)
    call("domain/create-domain", domain=f"second-{domain}")
    w["pending domain"] = f"pending-{domain}"
    verified = replace(account.services.installation, domains_are_verified=True)
    account.services = replace(account.services, installation=verified)
    for name in (w["pending domain"], f"second-pending-{mark}.test"):
        pending = call("domain/create-domain", domain=name)
        w["pending id"] = pending["id"]
        CODES.append(pending["token"])
    unverified = replace(verified, domains_are_verified=False)
    account.services = replace(account.services, installation=unverified)
    for name in ("ann", "boss", "cleo"):
        call("user/create-user", emailAddress=w[name], name=f"{mark} {name}")
    call("user/update-alias", alias=w["alias"], aliasFor=w["ann"])
    call("user/update-alias", alias=f"other-{w['alias']}", aliasFor=w["ann"])
    named = [{"name": w["attribute name"], "value": f"{mark} red"}, {"name": f"{mark} site", "value": mark}]
    call("user/add-to-purge-list", emailAddresses=[w["ann"]])
    call("user/add-to-purge-list", emailAddresses=[w["boss"]])
    w["import"] = call("user/import-users", file=f"email,name\n{w['ann']},{mark}\n")["id"]
    w["attribute"] = call("user/update-attributes", emailAddress=w["ann"], attributes=named)["attributes"][0]["id"]
    w["group"] = call("directory/create-group", description=w["group name"])["id"]
    w["spare"] = call("directory/create-group", description=f"{w['group name']} too", parentId=w["group"])["id"]
    call("directory/add-group-member", id=w["group"], emailAddress=w["outsider"], notes=mark)
    call("directory/add-group-member", id=w["group"], domain=f"{mark}-partner.test")
    call("directory/add-group-member", id=w["spare"], emailAddress=w["cleo"])
    managed = {"sender": f"x@{mark}-x.test", "to": w["ann"], "action": "block"}
    w["listed sender"] = managed["sender"]
    call("managedsender/permit-or-block-sender", **{**managed, "to": w["boss"]})
    w["managed"] = call("managedsender/permit-or-block-sender", **managed)["id"]
    call("managedsender/permit-or-block-sender", **managed | {"to": w["boss"]})
    policy = scope(w) | {"description": f"{mark} policy", "comment": mark}
    w["blocked"] = call("policy/blockedsenders/create-policy", option="block_sender", policy=policy)["id"]
    w["permitted"] = call("ext/permittedsenders/create-policy", policy=policy)["id"]
    for _ in range(2):  # a page and a further one
        w["spoofing"] = call("ext/antispoofing/create-policy", option="hold", policy=policy)["id"]
        bypass = "policy/antispoofing-bypass/create-policy"
        w["bypass"] = call(bypass, option="enable_bypass", policy=policy)["id"]
        w["spam"] = call("ext/spam-policies/create-policy", policy=policy)["id"]
    urls = [{"action": "block", "type": "domain", "value": value} for value in (f"{mark}-bad.test", "bad.test")]
    for name in (f"{mark} first", mark):
        web = call(
            "policy/webwhiteurl/create-policy-with-targets", description=name, policies=web_targets(w), urls=urls
        )
        call("ext/set-web-default-deny", id=web["id"], defaultDeny=True)
    w["web name"], w["proxy name"] = mark, f"{mark} proxy"
    w["until"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    allow = {"value": f"{mark}-video.test", "user": w["ann"], "until": w["until"], "reason": mark}
    for _ in range(2):
        w["allow"] = call("ext/allow-web", **allow)["id"]
    w["managed url"] = f"http://{mark}-managed.test/path"
    for match in ("domain", "explicit"):
        managed = {"url": w["managed url"], "matchType": match}
        w["managed url id"] = call("ttp/url/create-managed-url", **managed)["id"]
    for name in (f"{mark} edge", w["proxy name"]):
        w["proxy"] = call("ext/create-web-proxy", name=name, kind="nginx")["id"]
    w |= {"web": web["id"], "web entry": web["urls"][0]["id"], "web target": web["policies"][0]["id"]}
    w["event"] = account.call("ext/get-history", {"objectId": w["web"]})[0]["id"]
    w |= {"place": f"{mark} place", "new place": f"{mark} new place"}
    for name, member in ((f"{mark} spare place", "spare location"), (w["place"], "location")):
        w[member] = call("ext/create-web-location", name=name, networks=["192.0.2.0/24"])["id"]
    w["client"] = "198.51.100.7" if mark == MARK else "198.51.100.8"
    call("ext/set-web-clients", network="203.0.113.1", user=w["ann"])
    call("ext/set-web-clients", network=w["client"], user=w["ann"])
    keys = [new_key(), new_key()]
    blocked = [
        WebRecord(
            id=key,
            at=datetime.now(UTC).timestamp(),
            door="squid",
            url=f"http://{w['outside domain']}/",
            host=w["outside domain"],
            verdict=WebVerdict.BLOCK,
            revision=1,
            user=w["ann"],
            policy_id=account.services.ids.open("web policy", w["web"], account.id),
            description=mark,
        )
        for key in keys
    ]
    account.write(lambda work: web_records.add(work, blocked))
    asking = BlockedRequests(account.services.store, account.services.ids)
    for key in keys:
        w["web record"] = account.services.ids.seal(Kind.WEB_RECORD, key, account.id)
        asking.ask(w["web record"], mark, "192.0.2.1")
    w["access request"] = account.call("ext/get-web-access-requests", {})[-1]["id"]
    alteration = "policy/address-alteration"
    for _ in range(2):
        w["set"] = call(f"{alteration}/create-address-alteration-set", description=f"{mark} set")["id"]
    kinds = {"addressType": "envelope_to", "routing": "inbound"}
    for name in ("boss", "ann"):
        rewrites = [{"originalAddress": w[name], "newAddress": w["rewritten"], **kinds}]
        made = call(f"{alteration}/create-definition", folderId=w["set"], addressAlterations=rewrites)
        w["definition"] = made["id"]
        made = call(f"{alteration}/create-policy", addressAlterationSetId=w["set"], policy=policy)
        w["alteration"] = made["id"]
    for name in ("boss", "cleo"):
        w["right"] = call("user/add-delegate-user", primaryAddress=w["ann"], delegateAddress=w[name])["id"]
    w |= {name: f"{mark} {name}" for name in ("role", "spare role", "new role")}
    for name in ("role", "spare role"):
        call("ext/create-role", name=w[name], permissions=["Directories | Groups | Read"], description=mark)
    for name in ("ann", "boss", "boss"):
        call("ext/add-administrator", emailAddress=w[name], role=w["role"])
        made = call("ext/create-key", name=f"{mark} keys", user=w[name])
    w |= {"app id": made["appId"], "access key": made["accessKey"], "client id": made["clientId"]}
    shown = call("account/get-account")
    w |= {"code": shown["accountCode"], "account name": shown["accountName"], "admin": shown["adminEmail"]}
    w["decision"], w["record decision"] = (b32encode(token_bytes(10)).decode().lower() for _ in range(2))
    w["message id"] = f"<{mark}@x.test>"
    outcome = Outcome(
        account_id=account.id,
        decision_id=w["decision"],
        at=datetime.now(UTC).timestamp(),
        source_ip="192.0.2.1",
        sender=w["outsider"],
        effective_sender=w["outsider"],
        recipient=w["ann"],
        effective_recipient=w["ann"],
        header_from=(),
        subject=mark,
        message_id=w["message id"],
        size=100,
        state=State.DELIVERED,
        stage=None,
        layer="managed_senders",
        reply="250 2.0.0 OK",
        policy_id=account.services.ids.open("managed sender", w["managed"], account.id),
        description="",
        revision=1,
        spam_checks=SpamChecks.RUN,
    )
    account.write(lambda work: tracking.add(work, [outcome]))
    w["record"] = call("ext/find-mail-records")["id"]
    account.write(lambda work: tracking.add(work, [replace(outcome, decision_id=w["record decision"])]))
    keeper = MessageKeeper(account.services.store, RecordBudget(), account.services.bodies)
    for _ in range(4):
        message = kept(account.id, w["ann"], sender=w["outsider"], subject=mark, description=mark)
        hold(keeper, message)
    w["asked"], w["held"], *decided = (
        row["id"] for row in account.call("gateway/get-hold-message-list", {"admin": True})
    )
    call("ext/ask-held-release", id=w["asked"], reason=mark)
    account.call("gateway/hold-release", *({"id": one} for one in decided))
    for _ in range(2):
        w["archived"] = account.archive(f"{mark} archived", w["cleo"], w["outsider"])
    account.read_archive()
    for _ in range(2):
        call("archive/get-message-detail", id=w["archived"])
        account.call("ext/find-archived-messages", {"from": w["outsider"]})
    for state in (State.REJECTED, State.DEFERRED):
        for number in range(2):
            other = replace(
                outcome, state=state, decision_id=f"{state}{number}", message_id=f"{state}{number}@x.test"
            )
            account.write(lambda work, other=other: tracking.add(work, [other]))
    return w


def nobody(of: World) -> dict[str, str]:
    """What looks like these things, and is none of any account's."""
    forger = Ids(bytes(KEY_OCTETS))

    def invented(value: str) -> str:
        prefix = "MTOKEN:" if value.startswith("MTOKEN:") else ""
        if len(value.removeprefix(prefix)) == 43:
            return prefix + forger.seal(Kind.USER, new_key(), "")
        if len(value) == 36 and value.count("-") == 4:
            return str(uuid.uuid4())
        if value in (of["access key"], of["client id"]):
            return "".join(reversed(value))
        return value.replace(MARK, "nomark12").replace("zq", "no")

    return {name: invented(value) for name, value in of.items()}


class Used(dict):
    """Notes what a sample asks for."""

    def __init__(self, values: World) -> None:
        super().__init__(values)
        self.names: list[str] = []

    def __getitem__(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return super().__getitem__(name)


class Undone:
    """A store in which whatever an endpoint does is undone, so that all are asked about the same accounts."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name: str):
        return getattr(self._store, name)

    def write_together(self, writes):
        return [self._undone(write) for write in writes]

    def _undone(self, write):
        try:
            return self._store.rehearse(write.account_id, write.origin, write.transaction)
        except Exception as problem:
            return problem


class Statements:
    """The statements that an engine runs, as it runs them."""

    def __init__(self, engine) -> None:
        self.seen: list[tuple[str, object]] = []
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, connection, cursor, statement, parameters, context, many) -> None:
        self.seen.append((statement, parameters))


class Two:
    """The two accounts, filled, and what stands for nothing."""

    def __init__(self, account: Account, other: Account, own: World, theirs: World) -> None:
        self.account, self.other, self.own = account, other, own
        self.theirs = {**theirs, "new domain": f"second-{DOMAIN}"}  # what they have is new to nobody else
        self.nobodys = nobody(self.theirs)
        self.statements = Statements(account.services.store._engine.sqlalchemy)
        directory = DirectorySource("ldap://x", "", "", "dc=x", "(mail=*)", "", False, "COWN", 0)
        installation = replace(account.services.installation, directory=directory)
        account.services = self.really = replace(account.services, installation=installation)
        account.services = replace(account.services, store=Undone(account.services.store))

    def prepare(self, path: str) -> None:
        """Have both accounts be called by whom the function is about."""
        if path in PERSONAL:
            for one, w in ((self.account, self.own), (self.other, self.theirs)):
                found = one.write(lambda work, w=w: keys.find_bindings(work, w["access key"])[0])
                who = {"user_id": found.user_id, "binding_id": found.id, "application_id": found.application_id}
                one.caller = replace(one.caller, actor=w["boss"], **who)

    def rows(self) -> dict[str, list]:
        """All that the second account holds."""
        with self.other.services.store._engine.reading() as connection:
            mine = {
                table.name: connection.execute(select(table).where(table.c.account_id == self.other.id)).all()
                for table in metadata.sorted_tables
                if "account_id" in table.c
            }
            mine["account"] = connection.execute(
                select(account_table).where(account_table.c.id == self.other.id)
            ).all()
        return {name: sorted(map(tuple, rows), key=repr) for name, rows in mine.items()}


class Filled(NamedTuple):
    """A database with both accounts in it, which takes seconds to make, and what samples may name of them."""

    database: Path
    accounts: tuple[str, str]
    own: World
    theirs: World


@pytest.fixture(scope="module")
def filled(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    database = copied(empty_database, tmp_path_factory.mktemp("filled"))
    with services_on(database) as services:
        account, other = Account(services), Account(services)
        for one, code, name in ((account, "COWN", "Own Limited"), (other, f"C{MARK}", f"{MARK} Limited")):
            with services.store._engine.writing() as connection:
                values = {"code": code, "name": name, "admin_email": f"root@{name.split()[0].lower()}.example"}
                connection.execute(account_table.update().where(account_table.c.id == one.id).values(**values))
        own, theirs = fill(account, "ownmark1", "own-mark.test"), fill(other, MARK, DOMAIN)
    return Filled(database, (account.id, other.id), own, theirs)


@pytest.fixture
def two(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    monkeypatch.setattr(ldap, "read", lambda source: Snapshot((Person(filled.own["new"], ""),), ()))
    with services_on(copied(filled.database, tmp_path)) as services:
        account, other = (Account(services, id_) for id_ in filled.accounts)
        yield Two(account, other, filled.own, filled.theirs)


def plain(answer: object, values: World) -> str:
    """An answer as a text, what was sent replaced by its name, new ids and times by what they are."""
    text = json.dumps(answer, sort_keys=True)
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        text = text.replace(value, f"<{name}>")
    text = re.sub(r"(?:mailreeve-web-)?[A-Za-z0-9_-]{43}", "<id>", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", "<time>", text)


TABLES = {table.name for table in metadata.sorted_tables if "account_id" in table.c}
_SOURCE = re.compile(r'\b(?:FROM|JOIN|UPDATE|,)\s+"?(\w+)"?(?:\s+AS\s+"?(\w+)"?)?')


def unbound(statement: str) -> list[str]:
    """The tables of a statement that nothing binds to an account."""
    if statement.startswith("INSERT"):
        columns = statement.partition("(")[2].partition(")")[0]
        return [] if "account_id" in columns else [statement]
    text = statement.replace('"', "")
    bound = set(re.findall(r"\b(\w+)\.account_id = \?", text))
    pairs = re.findall(r"\b(\w+)\.account_id = (\w+)\.account_id\b", text)
    for _ in pairs:  # Bound is also what is joined to what is bound, over as many joins as there are.
        bound |= {name for pair in pairs if bound.intersection(pair) for name in pair}
    names = [alias or table for table, alias in _SOURCE.findall(text) if table in TABLES]
    return [name for name in names if name not in bound]


def test_every_endpoint_has_a_sample() -> None:
    assert SAMPLES.keys() == BY_PATH.keys()


def test_what_is_unbound_is_found() -> None:
    """The reader of statements is no better than what it finds."""
    assert unbound("SELECT user.id FROM user WHERE user.id = ?") == ["user"]
    joined = "SELECT 1 FROM binding JOIN user ON user.id = binding.user_id WHERE binding.account_id = ?"
    assert unbound(joined) == ["user"]
    assert unbound(joined.replace("ON ", "ON user.account_id = binding.account_id AND ")) == []
    circle = "SELECT 1 FROM binding JOIN user ON user.account_id = binding.account_id WHERE binding.id = ?"
    assert unbound(circle) == ["binding", "user"]
    assert unbound("SELECT 1 FROM delegate_right AS a WHERE a.id = ?") == ["a"]
    assert unbound('DELETE FROM "user" WHERE "user".id = ?') == ["user"]
    assert unbound("UPDATE user SET name=? WHERE user.account_id = ? AND user.id = ?") == []


@pytest.mark.parametrize("path", sorted(SAMPLES))
def test_the_other_account_is_as_good_as_none(two: Two, path: str) -> None:
    two.prepare(path)
    before = two.rows()
    for sample in SAMPLES[path]:
        used = Used(two.own)
        item = sample(used)
        answer = two.account.answer(path, item)
        assert (answer["fail"], bool(answer["data"])) == ([], path not in NOTHING), (
            "the sample itself is to be carried out"
        )
        assert MARK not in json.dumps(answer)
        for names in (*([name] for name in used.names), used.names):
            theirs = {name: two.theirs[name] for name in names}
            nobodys = {name: two.nobodys[name] for name in names}
            answer = two.account.answer(path, sample(two.own | theirs))
            if len(names) == 1 and (path, names[0]) in TOLD:
                (failure,) = answer["fail"]
                assert [error["code"] for error in failure["errors"]] == [TOLD[path, names[0]]]
                continue
            shown = plain(answer, two.theirs)
            assert shown == plain(two.account.answer(path, sample(two.own | nobodys)), two.nobodys), names
            assert MARK not in shown, names
    # What was undone until now is done, with all that is the other's.
    two.account.services = two.really
    for sample in SAMPLES[path]:
        two.account.answer(path, sample(two.theirs))
    assert two.rows() == before


EMPTY = {"ttp/attachment/get-logs", "ttp/impersonation/get-logs"}
"""Lists of what is never recorded."""

NOTHING = {"account/get-dashboard-notifications"}
"""What has nothing to tell."""

ASKS_NOTHING = {
    "audit/get-categories",
    "login/discover-authentication",
    "provisioning/get-packages",
    "ttp/url/decode-url",
    *EMPTY,
    *NOTHING,
}


@pytest.mark.parametrize(
    "path", sorted(SAMPLES.keys() - {"domain/create-domain", "domain/verify-domain", *ASKS_NOTHING})
)
def test_every_statement_names_the_account(two: Two, path: str) -> None:
    """Two exceptions look whether any account has a domain, and tell nothing else; the others ask nothing."""
    two.prepare(path)
    two.statements.seen.clear()
    for sample in SAMPLES[path]:
        assert two.account.answer(path, sample(two.own))["fail"] == []
        two.account.answer(path, sample(two.theirs))
    assert two.statements.seen
    for statement, parameters in two.statements.seen:
        assert unbound(statement) == [], statement
        assert two.other.id not in repr(parameters), statement


@pytest.mark.parametrize("path", sorted({endpoint.path for endpoint in ENDPOINTS if endpoint.lists} - EMPTY))
def test_page_tokens_of_the_other_account_are_as_good_as_none(two: Two, path: str) -> None:
    two.prepare(path)
    sample = SAMPLES[path][-1]
    if path not in ONE_OF and not any(member.required for member in msgspec.structs.fields(BY_PATH[path].item)):
        sample = whole_list
    first = {"pagination": {"pageSize": 1}}
    token = two.other.answer(path, sample(two.theirs), meta=first)["meta"]["pagination"]["next"]
    refused = []
    for text in (token, Ids(bytes(KEY_OCTETS)).seal_page(b"x" * 60, two.account.id), "nonsense"):
        for item in (sample(two.own), sample(two.theirs)):
            with pytest.raises(Exception, match="pageToken") as caught:
                two.account.answer(path, item, meta={"pagination": {"pageToken": text}})
            refused.append(str(caught.value))
    assert len(set(refused)) == 1


# Statements that are built once, whether or not anything has run them.

LOOKED_AT = re.compile(r"mailreeve\.(store|families)\.(?!migrations)")


def statements() -> Iterator[tuple[str, str]]:
    """Name and text of what stands in the constants of these modules, in the kit's objects too."""
    seen: set[int] = set()

    def walk(value: object, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
        if depth > 4 or id(value) in seen:
            return
        if isinstance(value, Select | Insert | Update | Delete):
            seen.add(id(value))
            yield name, " ".join(str(value.compile(dialect=sqlite.dialect())).split())
        elif isinstance(value, dict):
            for key, one in list(value.items()):
                yield from walk(one, f"{name}[{key}]", depth + 1)
        elif isinstance(value, tuple | list):
            for one in value:
                yield from walk(one, name, depth + 1)
        elif type(value).__module__.startswith(("mailreeve.store", "mailreeve.families")) and hasattr(
            value, "__dict__"
        ):
            seen.add(id(value))
            for key, one in vars(value).items():
                yield from walk(one, f"{name}.{key}", depth + 1)

    for module in pkgutil.walk_packages(mailreeve.__path__, "mailreeve."):
        if LOOKED_AT.match(module.name):
            for key, value in list(vars(importlib.import_module(module.name)).items()):
                yield from walk(value, f"{module.name}.{key}")


OVER_ALL = {
    f"mailreeve.families.{name}"
    for name in (
        "outgoing.rows._due_accounts",
        "outgoing.rows._depth",
        "digest.rows._at_work",
        "digest.rows._asked_alone",
        "web_zones.rows._everybodys_keys",
        "web_zones.rows._with_zones",
        "directory.purging.rows._at_work",
        "directory.imports.rows._at_work",
    )
}
"""What the server asks for itself, of all accounts: in which there is work to do, and whose key signs the transfer
of a zone. No caller is told."""


def test_every_statement_that_is_built_once_is_bound_to_an_account() -> None:
    found = dict(statements())
    assert len(found) > 100  # else nothing was looked at
    assert found.keys() >= OVER_ALL
    assert {name: text for name, text in found.items() if unbound(text) and name not in OVER_ALL} == {}
