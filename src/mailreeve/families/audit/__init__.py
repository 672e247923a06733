"""Who changed what, and when? The audit log, as it is read (behaviour.md section 9.3)."""
