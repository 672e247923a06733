"""Commands that change nothing and answer a question: what would become of mail, and what did."""
