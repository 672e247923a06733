"""The digest: held messages told to their recipients by mail, with links that act on them."""
