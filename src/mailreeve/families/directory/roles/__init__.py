"""Roles: the built-in ones, and those that an account makes of the published permissions."""
