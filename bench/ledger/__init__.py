"""Measurements of the ledger: see bench/README.md."""
