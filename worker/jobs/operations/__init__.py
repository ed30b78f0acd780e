"""What people do to the ledger, and what it shows of itself."""
