"""Alembic's entry point: it runs the revisions on the connection that it is given, in that transaction."""

from __future__ import annotations

from alembic import context

from mailreeve.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
context.run_migrations()
