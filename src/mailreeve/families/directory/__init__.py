"""Accounts, domains, users and groups."""
