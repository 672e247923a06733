"""Where accepted mail goes: a mail server, or a Maildir."""
