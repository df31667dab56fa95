"""Code blocks: the frame with its language and Copy button, and the colours.

Owns the markup of a code block, finished or still growing. Copying itself is `static/js/copy-code.js`;
the stream uses `opening`, `closing` and escaped lines in between while a block is being written.
"""

from functools import lru_cache
from itertools import groupby

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from chat.markdown.text import escape_text

MAX_HIGHLIGHTED = 20_000  # characters; Pygments needs 1-2 µs for each, on the event loop
CLOSING = "</code></pre></div>"
# A fixed set: a lexer is a set of regular expressions, and unusual ones backtrack badly on hostile text.
_LANGUAGES = """
    asm awk bash bat batch c c# c++ clojure cmake coffeescript cpp cs csharp css cuda dart diff django docker dockerfile
    elixir elm erlang fish fortran fsharp glsl go golang graphql groovy haskell hcl html http ini java javascript jinja
    js json json5 jsonc jsx julia kotlin latex less lisp llvm lua make makefile matlab mysql nasm nginx nim nix objc
    objective-c ocaml pascal perl php plpgsql postgres postgresql powershell prolog proto protobuf ps1 py pycon python
    python3 r rb react regex ruby rs rust sass scala scheme scss sh shell shell-session solidity sql sqlite svelte swift
    systemverilog tcl terraform tex toml ts tsx typescript udiff v vb.net verilog vhdl vim vue wasm xml yaml yml zig zsh
"""
_KNOWN = frozenset(_LANGUAGES.split())
# From the most special to the most general; the first that holds the token's type names its class.
_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Token.Comment, "tok-comment"),
    (Token.Keyword.Type, "tok-type"),
    (Token.Keyword.Constant, "tok-number"),
    (Token.Keyword, "tok-keyword"),
    (Token.Operator.Word, "tok-keyword"),
    (Token.Literal.Number, "tok-number"),
    (Token.Literal, "tok-string"),
    (Token.Name.Function, "tok-function"),
    (Token.Name.Class, "tok-type"),
    (Token.Name.Builtin, "tok-builtin"),
    (Token.Name.Exception, "tok-type"),
    (Token.Name.Decorator, "tok-attribute"),
    (Token.Name.Attribute, "tok-attribute"),
    (Token.Name.Tag, "tok-tag"),
    (Token.Generic.Deleted, "tok-deleted"),
    (Token.Generic.Inserted, "tok-inserted"),
    (Token.Generic.Heading, "tok-heading"),
    (Token.Generic.Subheading, "tok-heading"),
    (Token.Generic.Prompt, "tok-comment"),
)


def block(source: str, language: str) -> str:
    """Return a finished code block, highlighted when the language is known and the source is not too long."""
    return opening(language) + _highlight(source, language) + CLOSING


def opening(language: str) -> str:
    """Return everything of a code block that stands before its first character."""
    label = escape_text(language or "text")
    return (
        f'<div class="code"><div class="code-head"><span class="code-lang">{label}</span>'
        '<button class="code-copy" type="button">Copy</button></div><pre><code>'
    )


@lru_cache(maxsize=64)
def _highlight(source: str, language: str) -> str:
    lexer = _lexer(language.lower())
    if lexer is None or len(source) > MAX_HIGHLIGHTED:
        return escape_text(source)
    runs = groupby(lexer.get_tokens(source), lambda token: _class(token[0]))
    return "".join(_span(name, "".join(text for _, text in run)) for name, run in runs)


@lru_cache(maxsize=256)
def _lexer(language: str) -> Lexer | None:
    if language not in _KNOWN:
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _span(name: str, text: str) -> str:
    return f'<span class="{name}">{escape_text(text)}</span>' if name and not text.isspace() else escape_text(text)


@lru_cache(maxsize=512)
def _class(kind: _TokenType) -> str:
    return next((name for parent, name in _CLASSES if kind in parent), "")
