"""Senders that one user permits or blocks for themselves."""
