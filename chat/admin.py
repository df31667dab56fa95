"""Gathers the admin pages of all packages; defines none. What people write (chats, answers, own keys) has none."""

from chat.accounts import admin as accounts
from chat.audit import admin as audit
from chat.catalogue import admin as catalogue
from chat.keys import admin as keys
from chat.notices import admin as notices
from chat.usage import admin as usage

__all__ = ["accounts", "audit", "catalogue", "keys", "notices", "usage"]
