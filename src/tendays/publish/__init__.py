"""What runs the notebooks and publishes them: their ledgers, the README's tables, new notebooks, the address."""
