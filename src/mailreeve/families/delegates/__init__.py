"""Who may use whose mailbox."""
