"""The web lists as files for programs that do not ask: what each can say, and what it leaves out."""
