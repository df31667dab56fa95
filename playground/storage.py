"""How static files are named and which headers they carry.

It owns the storage that ``collectstatic`` writes and the security headers of static responses;
serving them is servestatic's work. Called by the settings only.
"""

from wsgiref.headers import Headers

from servestatic.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed names and compressed copies; ES modules import each other by hashed name too."""

    support_js_module_import_aggregation = True


def add_headers(headers: Headers, path: str, url: str) -> None:
    """Add what ``SecurityMiddleware`` would, because static files are answered before it."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
