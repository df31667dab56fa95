"""The partials about people and what administrators are told, in every state, for ``/patterns/``."""

from types import SimpleNamespace as Sample

from chat.pattern import Pattern

NOTICES = [
    Sample(pk=1, sentence="Team key …ab12 was refused by router.huggingface.co (401).", address="/admin/"),
    Sample(pk=2, sentence="Anna asks for more: $2 a day on Team key …ab12.", address=""),
]


def people_patterns() -> list[Pattern]:
    return [
        Pattern("Notices for administrators", "chat/notices/_notices.html", {"notices": NOTICES}),
    ]
