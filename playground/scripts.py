"""Joins the ES modules of a page into one script, so that they cost one request and are compressed together.

It knows the shape that the modules under ``static/js`` have and no other: imports of neighbours, each on one line at
the top; exported functions and constants; no cycles. Whatever else it meets it refuses with ``CannotJoin``, because a
script joined wrongly would only fail in the browser. Called by the storage that ``collectstatic`` writes to.
"""

import re
from collections.abc import Callable

IMPORT = re.compile(r'import (?:\{ (?P<names>\w+(?:, \w+)*) \} from )?"\./(?P<module>[\w-]+\.js)";')
EXPORT = re.compile(r"export (?=(?:(?:async )?function|const) (?P<name>\w+)\b)")
# What only people who read the sources need: a comment on lines of its own.
COMMENT = re.compile(r"^\s*//")
# What a scope around it would give another meaning, and what lets a line be a part of something longer.
UNKNOWN = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]|\bthis\b|/\*")


class CannotJoin(ValueError):
    """A module has a shape that is not known here: which one, and the line."""


def joined_modules(main: str, source: Callable[[str], str]) -> str:
    """The module ``main`` with all that it imports, each in a scope of its own, in the order a browser would run them.

    ``source`` gives the text of a module by its file name. The result is a module itself: strict and deferred.
    """
    done: list[str] = []
    pieces: list[str] = []

    def add(module: str, importers: tuple[str, ...]) -> None:
        if module in importers:
            raise CannotJoin(f"{module} imports itself by way of {' and '.join(importers)}.")
        if module in done:
            return
        lines, exported = [], []
        for line in source(module).splitlines():
            if found := IMPORT.fullmatch(line):
                add(found["module"], (*importers, module))
                if found["names"]:
                    lines.append(f"const {{ {found['names']} }} = {_scope(found['module'])};")
            elif not COMMENT.match(line):
                if export := EXPORT.match(line):
                    exported.append(export["name"])
                lines.append(_known(module, EXPORT.sub("", line, count=1)))
        # Without cycles all of it has run before anybody asks for an export.
        lines.append(f"return {{ {', '.join(exported)} }};")
        pieces.append("\n".join([f"const {_scope(module)} = (() => {{", *lines, "})();"]))
        done.append(module)

    add(main, ())
    return "\n".join(pieces) + "\n"


def _scope(module: str) -> str:
    """The name that a module's exports go by: one that no module uses for anything else."""
    return f"${module.removesuffix('.js').replace('-', '$')}"


def _known(module: str, line: str) -> str:
    if UNKNOWN.search(line) or line.count("`") % 2:
        raise CannotJoin(f"{module} has a line that cannot be joined: {line.strip()}")
    return line
