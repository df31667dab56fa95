"""The index on PostgreSQL: two tables of ``tsvector``, kept by triggers, and the queries that read them.

The words are those that SQLite's index knows: everything that is neither letter nor digit parts words, so that parts of
addresses and of code are found (the parser of PostgreSQL keeps them whole). No extension is needed.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from chat.conversations.search.words import UNSPACED, Query, Term

# A tsvector holds at most a megabyte of distinct words; so many characters never make one.
INDEXED_LENGTH = 100_000
# So many of a person's newest messages are looked at one by one, before the index is asked about all.
NEWEST = 3_000
PUNCTUATION = r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf]"
FURTHER_SIGNS = r"[\u2000-\u206f\u2190-\u2bff\u3000-\u3004\u3008-\u303f\uff01-\uff0f\uff1a-\uff20]"

FUNCTIONS = (
    # Accents go, and what was taken apart to find them is put together again: syllables of Korean above all.
    rf"""CREATE OR REPLACE FUNCTION chat_search_words(whole text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN octet_length(t) = length(t) THEN regexp_replace(t, '{PUNCTUATION}+', ' ', 'g')
ELSE regexp_replace(regexp_replace(
  normalize(regexp_replace(normalize(t, NFKD), '[\u0300-\u036f]+', '', 'g'), NFC),
  '{PUNCTUATION}|{FURTHER_SIGNS}', ' ', 'g'), '([{UNSPACED}])', ' \1 ', 'g') END
FROM (SELECT left(whole, {INDEXED_LENGTH}) AS t) AS cut $$""",
    """CREATE OR REPLACE FUNCTION chat_search_vector(whole text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT to_tsvector('simple', chat_search_words(whole)) $$""",
)
TABLES = (
    """CREATE TABLE IF NOT EXISTS chat_message_search
(message_id bigint PRIMARY KEY, owner_id bigint NOT NULL, vector tsvector NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS chat_title_search
(id bigserial PRIMARY KEY, chat_id uuid NOT NULL UNIQUE, owner_id bigint NOT NULL, vector tsvector NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS chat_message_search_words ON chat_message_search USING gin (vector)",
    "CREATE INDEX IF NOT EXISTS chat_message_search_newest ON chat_message_search (owner_id, message_id)",
    "CREATE INDEX IF NOT EXISTS chat_title_search_words ON chat_title_search USING gin (vector)",
    "CREATE INDEX IF NOT EXISTS chat_title_search_newest ON chat_title_search (owner_id, id)",
)

# What a message says, and nothing while it is being written.
TEXT = """CASE WHEN m.run_id IS NULL
  THEN (SELECT string_agg(p ->> 'text', '') FROM jsonb_array_elements(m.parts) p WHERE p ->> 'type' = 'text')
  ELSE (SELECT r.prefix || r.text FROM chat_run r WHERE r.id = m.run_id AND r.finished_at IS NOT NULL) END"""


def _index_messages(which: str) -> str:
    return f"""INSERT INTO chat_message_search (message_id, owner_id, vector)
SELECT id, owner_id, chat_search_vector(whole) FROM (
  SELECT m.id, t.owner_id, {TEXT} AS whole FROM chat_message m JOIN chat_turn t ON t.id = m.turn_id WHERE {which}
) AS said WHERE whole <> ''
ON CONFLICT (message_id) DO UPDATE SET vector = excluded.vector, owner_id = excluded.owner_id"""


def _index_titles(which: str) -> str:
    return f"""INSERT INTO chat_title_search (chat_id, owner_id, vector)
SELECT c.id, c.owner_id, chat_search_vector(c.title) FROM chat_conversation c WHERE c.title <> '' AND {which}"""


def _trigger(name: str, when: str, do: str) -> tuple[str, str]:
    """A function that never keeps a row from being written: what cannot be indexed is not found, that is all."""
    return (
        f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {do}; RETURN NULL; EXCEPTION WHEN program_limit_exceeded OR data_exception THEN RETURN NULL; END $$""",
        f"CREATE OR REPLACE TRIGGER {name} {when} EXECUTE FUNCTION {name}()",
    )


FORGET_MESSAGE = "DELETE FROM chat_message_search WHERE message_id = OLD.id"
FORGET_TITLE = "DELETE FROM chat_title_search WHERE chat_id = OLD.id"
INDEX_MESSAGE, INDEX_TITLE = _index_messages("m.id = NEW.id"), _index_titles("c.id = NEW.id")
TRIGGERS = {
    "chat_search_message_made": ("chat_message", "AFTER INSERT ON chat_message FOR EACH ROW", INDEX_MESSAGE),
    "chat_search_message_changed": (
        "chat_message",
        "AFTER UPDATE OF parts, run_id ON chat_message FOR EACH ROW",
        f"{FORGET_MESSAGE}; {INDEX_MESSAGE}",
    ),
    "chat_search_message_gone": ("chat_message", "AFTER DELETE ON chat_message FOR EACH ROW", FORGET_MESSAGE),
    "chat_search_run_settled": (
        "chat_run",
        """AFTER UPDATE OF prefix, text, finished_at ON chat_run FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL
 AND (OLD.finished_at IS NULL OR OLD.text <> NEW.text OR OLD.prefix <> NEW.prefix))""",
        _index_messages("m.run_id = NEW.id"),
    ),
    "chat_search_title_made": ("chat_conversation", "AFTER INSERT ON chat_conversation FOR EACH ROW", INDEX_TITLE),
    "chat_search_title_changed": (
        "chat_conversation",
        "AFTER UPDATE OF title ON chat_conversation FOR EACH ROW WHEN (OLD.title <> NEW.title)",
        f"{FORGET_TITLE}; {INDEX_TITLE}",
    ),
    "chat_search_title_gone": ("chat_conversation", "AFTER DELETE ON chat_conversation FOR EACH ROW", FORGET_TITLE),
}
TRIGGERS_THERE = """SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND t.tgenabled <> 'D'"""
MAKE_TRIGGERS = tuple(statement for name, (_, when, do) in TRIGGERS.items() for statement in _trigger(name, when, do))
NO_TRIGGERS = tuple(f"DROP TRIGGER IF EXISTS {name} ON {table}" for name, (table, _, _) in TRIGGERS.items())
NO_TABLES = (
    "DROP TABLE IF EXISTS chat_message_search",
    "DROP TABLE IF EXISTS chat_title_search",
    *(f"DROP FUNCTION IF EXISTS {name}()" for name in TRIGGERS),
    "DROP FUNCTION IF EXISTS chat_search_vector(text)",
    "DROP FUNCTION IF EXISTS chat_search_words(text)",
)
FILL = (
    "DELETE FROM chat_message_search",
    "DELETE FROM chat_title_search",
    _index_messages("TRUE"),
    _index_titles("TRUE"),
)


def messages(query: Query, owner: int, besides: Collection[UUID], limit: int) -> list[tuple[str, list[Any]]]:
    """SQL for the newest messages of a person that a query finds and their chats, with its parameters.

    The second is asked where the first does not find enough: a common word stands in the newest messages, a rare one
    is quickly found in the GIN index. The planner would have to know which it is, and does not for beginnings of words.
    """
    words, parameters = _tsquery(query)
    newest = f"""SELECT message_id FROM (
  SELECT message_id, vector FROM chat_message_search WHERE owner_id = %s ORDER BY message_id DESC LIMIT {NEWEST}
) AS newest WHERE vector @@ ({words})"""
    all_of_them = f"SELECT message_id FROM chat_message_search WHERE owner_id = %s AND vector @@ ({words})"
    there = [owner, [str(chat) for chat in besides], limit]
    return [
        (_visible(newest, materialized=False), [owner, *parameters, *there]),
        (_visible(all_of_them, materialized=True), [owner, *parameters, *there]),
    ]


def _visible(found: str, materialized: bool) -> str:
    return f"""WITH found AS {"MATERIALIZED" if materialized else "NOT MATERIALIZED"} ({found})
SELECT f.message_id, c.id FROM found f
JOIN chat_message m ON m.id = f.message_id
JOIN chat_lane l ON l.id = m.lane_id
JOIN chat_conversation c ON c.id = l.conversation_id
WHERE c.owner_id = %s AND c.deleted_at IS NULL AND NOT c.is_draft
  AND m.deleted_at IS NULL AND l.removed_at IS NULL AND c.id <> ALL (%s::uuid[])
ORDER BY f.message_id DESC LIMIT %s"""


def titles(query: Query, owner: int, limit: int) -> tuple[str, list[Any]]:
    """SQL for the ids of the newest chats of a person whose title a query finds, and its parameters."""
    words, parameters = _tsquery(query)
    return (
        f"""SELECT c.id FROM chat_title_search s JOIN chat_conversation c ON c.id = s.chat_id
WHERE s.owner_id = %s AND s.vector @@ ({words}) AND c.owner_id = %s AND c.deleted_at IS NULL AND NOT c.is_draft
ORDER BY s.id DESC LIMIT %s""",
        [owner, *parameters, owner, limit],
    )


def _tsquery(query: Query) -> tuple[str, list[str]]:
    """The query as an expression of PostgreSQL, and the words in it."""
    parts, parameters = [], []
    for term, form in [*((term, "{}") for term in query.wanted), *((term, "!!{}") for term in query.unwanted)]:
        parts.append(form.format(_phrase(term)))
        parameters.append(" ".join(term.words))
    return " && ".join(parts), parameters


def _phrase(term: Term) -> str:
    """Nothing but letters, digits and spaces comes out of ``chat_search_words``: in quotes, that is a phrase."""
    return f"to_tsquery('simple', '''' || chat_search_words(%s) || '''{':*' if term.prefix else ''}')"
