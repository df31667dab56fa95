"""How static files are named and which headers they carry.

It owns the storage that ``collectstatic`` writes and the security headers of static responses;
serving them is servestatic's work. Called by the settings only.
"""

from wsgiref.headers import Headers

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from servestatic.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed names and compressed copies; ES modules import each other by hashed name too."""

    support_js_module_import_aggregation = True
    # Without the pattern for import("…"): it also matches types named in comments, as in htmx's extensions.
    _js_module_import_aggregation_patterns = (
        "*.js",
        ManifestStaticFilesStorage._js_module_import_aggregation_patterns[1][:-1],
    )


def add_headers(headers: Headers, path: str, url: str) -> None:
    """Add what ``SecurityMiddleware`` would, because static files are answered before it."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
