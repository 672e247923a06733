"""What both doors that strangers knock at, SMTP and HTTP, share."""
