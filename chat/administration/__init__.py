"""What pages of Django admin have in common: rows that are only read, changes that are recorded, tables to download."""
