"""Adapters that turn what each kind of policy proposes into action chunks; one file for each kind."""
