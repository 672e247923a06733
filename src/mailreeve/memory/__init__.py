"""Mappings that hold so much and no more."""
