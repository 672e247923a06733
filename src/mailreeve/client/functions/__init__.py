"""The functions of the API, room by room. Made by tools/make_client.py."""
