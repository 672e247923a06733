"""Accounts, users, groups and roles: values and rules, no I/O."""
