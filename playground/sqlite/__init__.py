"""Django's SQLite backend for statements that are executed again and again; named by ``DATABASES``."""
