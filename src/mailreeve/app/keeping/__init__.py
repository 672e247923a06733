"""What keeps a data folder: backups, their restoration, and proof that either is whole."""
