"""Administrators: the users who have a role, and what role an application has."""
