"""Copies of messages that were acknowledged, or written here, and wait to be handed to the next hop."""
