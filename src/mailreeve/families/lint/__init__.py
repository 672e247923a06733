"""What is wrong with an account's policies: what can never win, wins by chance, or comes to nothing."""
