"""Policies: a family for each type that has a scope, web lists, and what these share."""
