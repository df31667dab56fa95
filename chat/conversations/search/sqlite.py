"""The index on SQLite: two FTS5 tables, kept by triggers, and the queries that read them.

FTS5 splits at everything that is neither letter nor digit and folds case and accents (unicode61); characters of
unspaced languages are set apart before, by ``searchable``, which every connection is given. A trigram tokeniser would
find them, too, but no word of two characters, and costs three times the index. Rows come newest first, straight off
the index: whose they are is a word in it as well, so that nobody else's are walked through.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from chat.conversations.search.words import Query, Term, spaced

# Longer texts are found by their beginning. PostgreSQL takes no more than a megabyte of distinct words.
INDEXED_LENGTH = 100_000
OPTIONS = "tokenize=\"unicode61 remove_diacritics 2\", prefix='2 3', columnsize=0"

TABLES = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS chat_message_search USING fts5(text, owner, {OPTIONS})",
    f"CREATE VIRTUAL TABLE IF NOT EXISTS chat_title_search USING fts5(text, owner, chat, {OPTIONS})",
)
NO_TABLES = ("DROP TABLE IF EXISTS chat_message_search", "DROP TABLE IF EXISTS chat_title_search")

# What a message says, and nothing while it is being written.
TEXT = """CASE WHEN m.run_id IS NULL
  THEN (SELECT group_concat(json_extract(p.value, '$.text'), '') FROM json_each(m.parts) p
        WHERE json_extract(p.value, '$.type') = 'text')
  ELSE (SELECT r.prefix || r.text FROM chat_run r WHERE r.id = m.run_id AND r.finished_at IS NOT NULL) END"""


def _index_messages(which: str) -> str:
    return f"""INSERT INTO chat_message_search (rowid, text, owner)
SELECT id, searchable(substr(text, 1, {INDEXED_LENGTH})), 'u' || owner_id FROM (
  SELECT m.id, t.owner_id, {TEXT} AS text FROM chat_message m JOIN chat_turn t ON t.id = m.turn_id WHERE {which}
) WHERE text <> ''"""


def _index_titles(which: str) -> str:
    return f"""INSERT INTO chat_title_search (text, owner, chat)
SELECT searchable(c.title), 'u' || c.owner_id, c.id FROM chat_conversation c WHERE c.title <> '' AND {which}"""


FORGET_TITLE = "DELETE FROM chat_title_search WHERE rowid IN (SELECT rowid FROM chat_title_search('chat:' || OLD.id))"
TRIGGERS = {
    "chat_search_message_made": f"AFTER INSERT ON chat_message BEGIN {_index_messages('m.id = NEW.id')}; END",
    "chat_search_message_changed": f"""AFTER UPDATE OF parts, run_id ON chat_message BEGIN
DELETE FROM chat_message_search WHERE rowid = OLD.id; {_index_messages("m.id = NEW.id")}; END""",
    "chat_search_message_gone": """AFTER DELETE ON chat_message BEGIN
DELETE FROM chat_message_search WHERE rowid = OLD.id; END""",
    "chat_search_run_settled": f"""AFTER UPDATE OF prefix, text, finished_at ON chat_run
WHEN NEW.finished_at IS NOT NULL
 AND (OLD.finished_at IS NULL OR OLD.text IS NOT NEW.text OR OLD.prefix IS NOT NEW.prefix) BEGIN
DELETE FROM chat_message_search WHERE rowid IN (SELECT id FROM chat_message WHERE run_id = NEW.id);
{_index_messages("m.run_id = NEW.id")}; END""",
    "chat_search_title_made": f"AFTER INSERT ON chat_conversation BEGIN {_index_titles('c.id = NEW.id')}; END",
    "chat_search_title_changed": f"""AFTER UPDATE OF title ON chat_conversation WHEN OLD.title IS NOT NEW.title BEGIN
{FORGET_TITLE}; {_index_titles("c.id = NEW.id")}; END""",
    "chat_search_title_gone": f"AFTER DELETE ON chat_conversation BEGIN {FORGET_TITLE}; END",
}
TRIGGERS_THERE = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
NO_TRIGGERS = tuple(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS)
MAKE_TRIGGERS = tuple(f"CREATE TRIGGER IF NOT EXISTS {name} {body}" for name, body in TRIGGERS.items())
FILL = (
    "DELETE FROM chat_message_search",
    "DELETE FROM chat_title_search",
    _index_messages("TRUE"),
    _index_titles("TRUE"),
)
FUNCTIONS: tuple[str, ...] = ()


def prepare_connection(connection: BaseDatabaseWrapper) -> None:
    """Give a new connection the function that the triggers call. It takes whatever a column may hold."""
    connection.connection.create_function("searchable", 1, searchable, deterministic=True)


def searchable(text: Any) -> str:
    return spaced(text) if isinstance(text, str) else ""


def messages(query: Query, owner: int, besides: Collection[UUID], limit: int) -> list[tuple[str, list[Any]]]:
    """SQL for the newest messages of a person that a query finds and their chats, with its parameters."""
    sql = f"""SELECT s.rowid, c.id FROM chat_message_search s
CROSS JOIN chat_message m ON m.id = s.rowid
CROSS JOIN chat_lane l ON l.id = m.lane_id
CROSS JOIN chat_conversation c ON c.id = l.conversation_id
WHERE s.chat_message_search MATCH %s AND c.owner_id = %s AND c.deleted_at IS NULL AND NOT c.is_draft
  AND m.deleted_at IS NULL AND l.removed_at IS NULL AND c.id NOT IN ({", ".join(["%s"] * len(besides))})
ORDER BY s.rowid DESC LIMIT %s"""
    return [(sql, [_match(query, owner), owner, *(chat.hex for chat in besides), limit])]


def titles(query: Query, owner: int, limit: int) -> tuple[str, list[Any]]:
    """SQL for the ids of the newest chats of a person whose title a query finds, and its parameters."""
    return (
        """SELECT c.id FROM chat_title_search s CROSS JOIN chat_conversation c ON c.id = s.chat
WHERE s.chat_title_search MATCH %s AND c.owner_id = %s AND c.deleted_at IS NULL AND NOT c.is_draft
ORDER BY s.rowid DESC LIMIT %s""",
        [_match(query, owner), owner, limit],
    )


def _match(query: Query, owner: int) -> str:
    """The query in FTS5's language: every word in quotes, so that none of them is syntax."""
    wanted = " AND ".join(map(_phrase, query.wanted))
    unwanted = " OR ".join(map(_phrase, query.unwanted))
    found = f'(owner : "u{owner}") AND (text : ({wanted}))'
    return f"({found}) NOT (text : ({unwanted}))" if unwanted else found


def _phrase(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'
