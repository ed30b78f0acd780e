"""What operators do to the ledger, and the metrics and reports read from it."""
