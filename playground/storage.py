"""How static files are named and joined, and which headers they carry.

It owns the storage that ``collectstatic`` writes and the security headers of static responses;
serving them is servestatic's work. Called by the settings only.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from servestatic.storage import CompressedManifestStaticFilesStorage

from playground.scripts import joined_modules

# How the sheet that imports all others does so.
IMPORT = re.compile(r'@import url\("([\w.-]+)"\) layer\((\w+)\);')
# What only people who read the sources need. No string in our sheets holds either.
COMMENT, INDENT = re.compile(r"/\*.*?\*/", re.DOTALL), re.compile(r"\s*\n\s*")
# The text of a file by its name, among those in one folder.
Source = Callable[[str], str]


def joined_sheets(main: str, source: Source) -> str:
    """The main sheet with each import replaced by what it imports, in its layer, without comments and indents."""
    joined = IMPORT.sub(lambda found: f"@layer {found[2]} {{\n{source(found[1])}}}", source(main))
    return INDENT.sub("\n", COMMENT.sub("", joined))


JOINED: dict[str, Callable[[str, Source], str]] = {"css/main.css": joined_sheets, "js/main.js": joined_modules}


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed names and compressed copies; all sheets are one, and so are all ES modules."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Put into the main sheet and module what they import: two requests in place of sixty, and half the bytes."""
        for main in JOINED.keys() & paths.keys() if not dry_run else ():
            folder, _, name = main.rpartition("/")
            text = JOINED[main](name, source_in(folder, paths))
            Path(self.path(main)).write_text(text, encoding="utf-8")
            paths = {**paths, main: (self, main)}
        yield from super().post_process(paths, dry_run=dry_run, **options)


def source_in(folder: str, paths: dict[str, Any]) -> Source:
    """``paths``: as in ``post_process``."""

    def source(name: str) -> str:
        storage, path = paths[f"{folder}/{name}"]
        with storage.open(path) as file:
            return str(file.read().decode("utf-8"))

    return source


def add_headers(headers: Headers, path: str, url: str) -> None:
    """Add what ``SecurityMiddleware`` would, because static files are answered before it."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
