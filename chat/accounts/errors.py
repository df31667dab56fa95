"""Why a one-time link lets nobody in, as one tree; the text of each is a sentence for the person who followed it.

LinkRefused
├── LinkUnknown       no such link
├── LinkUsed          it worked once already
├── LinkFull          as many people as it was for have come
├── LinkExpired       it was not used in time
└── AccountDisabled   the account it belongs to is switched off
"""


class LinkRefused(Exception):
    """A link that opens nothing; ``title`` and ``sentence`` are for the page, ``status`` is its HTTP status."""

    title = "This link does not work."
    sentence = "Ask whoever gave it to you for a new one."
    status = 410


class LinkUnknown(LinkRefused):
    title = "This link is not known here."
    sentence = "Check that it was copied whole, or ask whoever gave it to you for a new one."
    status = 404


class LinkUsed(LinkRefused):
    title = "This link has been used."
    sentence = "It works only once. If that was not you, tell an administrator; otherwise ask for a new one."


class LinkFull(LinkRefused):
    title = "All places of this invitation are taken."
    sentence = "Ask whoever gave it to you for a new one."


class LinkExpired(LinkRefused):
    title = "This link has expired."
    sentence = "It was not used in time. Ask whoever gave it to you for a new one."


class AccountDisabled(LinkRefused):
    title = "This account is switched off."
    sentence = "An administrator can switch it on again."
    status = 403
