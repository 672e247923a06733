"""Policies that let mail from a sender pass the spam checks."""
