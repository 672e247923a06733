"""Notices to the senders of mail that was turned down: who may be told, and how often."""
