"""Collection runs: plan, search page by page, store, survive."""
