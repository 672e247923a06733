"""The milter door: a mail server that holds a message asks us what to do with it, and does it."""
