"""Mail that was taken and is held, until somebody releases it or turns it down."""
