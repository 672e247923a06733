"""What the system can be asked to do, one folder per capability."""
