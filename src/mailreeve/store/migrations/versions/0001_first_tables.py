"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("admin_email", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("code", name=op.f("uq_account_code")),
    )
    op.create_table(
        "alteration_definition",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("set_id", sa.String(length=32), nullable=False),
        sa.Column("address_type", sa.String(length=16), nullable=False),
        sa.Column("routing", sa.String(length=16), nullable=False),
        sa.Column("original_local", sa.Text(), nullable=False),
        sa.Column("original_domain", sa.Text(), nullable=False),
        sa.Column("original_shown", sa.Text(), nullable=False),
        sa.Column("new_local", sa.Text(), nullable=False),
        sa.Column("new_domain", sa.Text(), nullable=False),
        sa.Column("new_shown", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alteration_definition_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_alteration_definition")),
        sa.UniqueConstraint(
            "account_id",
            "set_id",
            "original_local",
            "original_domain",
            "new_local",
            "new_domain",
            "address_type",
            "routing",
            name="uq_alteration_definition_rewrite",
        ),
    )
    op.create_table(
        "alteration_set",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "parent_id"],
            ["alteration_set.account_id", "alteration_set.id"],
            name=op.f("fk_alteration_set_account_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alteration_set_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_alteration_set")),
    )
    op.create_table(
        "application",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("app_key", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("client_secret", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_application_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_application")),
        sa.UniqueConstraint("app_id", name=op.f("uq_application_app_id")),
        sa.UniqueConstraint("client_id", name=op.f("uq_application_client_id")),
    )
    op.create_table(
        "attribute_type",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_attribute_type_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_attribute_type")),
        sa.UniqueConstraint("account_id", "folded", name=op.f("uq_attribute_type_account_id_folded")),
    )
    op.create_table(
        "audit_event",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("acting_for", sa.Text(), nullable=False),
        sa.Column("source_ip", sa.String(length=45), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_kind", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=32), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_event_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_audit_event")),
    )
    op.create_table(
        "blocked_sender_policy",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("option", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("immutable", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_blocked_sender_policy_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_blocked_sender_policy")),
    )
    op.create_table(
        "directory_group",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("system", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "parent_id"],
            ["directory_group.account_id", "directory_group.id"],
            name=op.f("fk_directory_group_account_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_directory_group_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_directory_group")),
    )
    op.create_index(
        op.f("ix_directory_group_account_id_parent_id"),
        "directory_group",
        ["account_id", "parent_id"],
        unique=False,
    )
    op.create_table(
        "domain",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("shown", sa.String(length=255), nullable=False),
        sa.Column("inbound_type", sa.String(length=16), nullable=False),
        sa.Column("send_only", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_domain_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_domain")),
        sa.UniqueConstraint("name", name=op.f("uq_domain_name")),
    )
    op.create_table(
        "managed_sender",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("sender_shown", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_managed_sender_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_managed_sender")),
        sa.UniqueConstraint(
            "account_id", "recipient", "sender", name=op.f("uq_managed_sender_account_id_recipient_sender")
        ),
    )
    op.create_table(
        "message_outcome",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_outcome_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_message_outcome")),
    )
    op.create_index(
        op.f("ix_message_outcome_account_id_at"), "message_outcome", ["account_id", "at"], unique=False
    )
    op.create_index(
        op.f("ix_message_outcome_account_id_decision_id"),
        "message_outcome",
        ["account_id", "decision_id"],
        unique=False,
    )
    op.create_table(
        "permitted_sender_policy",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_permitted_sender_policy_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_permitted_sender_policy")),
    )
    op.create_table(
        "user",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=True),
        sa.Column("address_type", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("force_password_change", sa.Boolean(), nullable=False),
        sa.Column("password_never_expires", sa.Boolean(), nullable=False),
        sa.Column("allow_smtp", sa.Boolean(), nullable=False),
        sa.Column("allow_pop", sa.Boolean(), nullable=False),
        sa.Column("archive_start", sa.BigInteger(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("password_changed_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_user_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_user")),
    )
    op.create_table(
        "web_policy",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_policy_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_policy")),
    )
    op.create_table(
        "alteration_policy",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("set_id", sa.String(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "set_id"],
            ["alteration_set.account_id", "alteration_set.id"],
            name=op.f("fk_alteration_policy_account_id_set_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alteration_policy_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_alteration_policy")),
    )
    op.create_table(
        "attribute_value",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("type_id", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "type_id"],
            ["attribute_type.account_id", "attribute_type.id"],
            name=op.f("fk_attribute_value_account_id_type_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["user.account_id", "user.id"],
            name=op.f("fk_attribute_value_account_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_attribute_value_account_id")),
        sa.PrimaryKeyConstraint("account_id", "user_id", "type_id", name=op.f("pk_attribute_value")),
    )
    op.create_table(
        "binding",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("application_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("access_key", sa.String(length=255), nullable=False),
        sa.Column("secret_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "application_id"],
            ["application.account_id", "application.id"],
            name=op.f("fk_binding_account_id_application_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"], ["user.account_id", "user.id"], name=op.f("fk_binding_account_id_user_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_binding_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_binding")),
        sa.UniqueConstraint("access_key", name=op.f("uq_binding_access_key")),
    )
    op.create_table(
        "delegate_right",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("holder_id", sa.String(length=32), nullable=False),
        sa.Column("mailbox_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "holder_id"],
            ["user.account_id", "user.id"],
            name=op.f("fk_delegate_right_account_id_holder_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "mailbox_id"],
            ["user.account_id", "user.id"],
            name=op.f("fk_delegate_right_account_id_mailbox_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_delegate_right_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_delegate_right")),
        sa.UniqueConstraint(
            "account_id", "holder_id", "mailbox_id", name=op.f("uq_delegate_right_account_id_holder_id_mailbox_id")
        ),
    )
    op.create_index(
        op.f("ix_delegate_right_account_id_mailbox_id"),
        "delegate_right",
        ["account_id", "mailbox_id"],
        unique=False,
    )
    op.create_table(
        "directory_group_member",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("matched", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "group_id"],
            ["directory_group.account_id", "directory_group.id"],
            name=op.f("fk_directory_group_member_account_id_group_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_directory_group_member_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_directory_group_member")),
        sa.UniqueConstraint(
            "account_id", "group_id", "matched", name=op.f("uq_directory_group_member_account_id_group_id_matched")
        ),
    )
    op.create_index(
        op.f("ix_directory_group_member_account_id_matched"),
        "directory_group_member",
        ["account_id", "matched"],
        unique=False,
    )
    op.create_table(
        "directory_group_use",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "group_id"],
            ["directory_group.account_id", "directory_group.id"],
            name=op.f("fk_directory_group_use_account_id_group_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_directory_group_use_account_id")),
        sa.PrimaryKeyConstraint("account_id", "policy_id", "group_id", name=op.f("pk_directory_group_use")),
    )
    op.create_index(
        op.f("ix_directory_group_use_account_id_group_id"),
        "directory_group_use",
        ["account_id", "group_id"],
        unique=False,
    )
    op.create_table(
        "user_address",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("alias", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["user.account_id", "user.id"],
            name=op.f("fk_user_address_account_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_user_address_account_id")),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_user_address")),
    )
    op.create_index(
        op.f("ix_user_address_account_id_domain"), "user_address", ["account_id", "domain"], unique=False
    )
    op.create_index(
        op.f("ix_user_address_account_id_user_id"), "user_address", ["account_id", "user_id"], unique=False
    )
    op.create_table(
        "web_entry",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "policy_id"],
            ["web_policy.account_id", "web_policy.id"],
            name=op.f("fk_web_entry_account_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_entry_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_entry")),
    )
    op.create_index(
        op.f("ix_web_entry_account_id_policy_id"), "web_entry", ["account_id", "policy_id"], unique=False
    )
    op.create_table(
        "web_target",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "policy_id"],
            ["web_policy.account_id", "web_policy.id"],
            name=op.f("fk_web_target_account_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_target_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_target")),
    )
    op.create_index(
        op.f("ix_web_target_account_id_policy_id"), "web_target", ["account_id", "policy_id"], unique=False
    )
