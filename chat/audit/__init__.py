"""The audit log: who did what to keys, grants, endpoints, accounts, limits and prices. It is only ever added to."""
