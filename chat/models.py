"""Gathers the models of all packages, which is where Django looks for them; defines none itself."""

from chat.accounts.models import Invitation, SignInLink, User
from chat.audit.models import AuditEntry
from chat.catalogue.models import Endpoint, LanguageModel, Offer, RecentChoice
from chat.conversations.models import Conversation, Lane, Message, Turn
from chat.keys.asking import KeyRequest
from chat.keys.limits import Limit, Reservation, Tally
from chat.keys.models import KeyGrant, PersonalKey, SharedKey
from chat.notices.models import Delivery, Notice
from chat.runs.models import Process, Run, RunChunk
from chat.sign_in.models import HubToken
from chat.usage.models import DailyUse, DailyWait, StoredText, UsageRecord

__all__ = [
    "AuditEntry",
    "Conversation",
    "DailyUse",
    "DailyWait",
    "Delivery",
    "Endpoint",
    "HubToken",
    "Invitation",
    "KeyGrant",
    "KeyRequest",
    "Lane",
    "LanguageModel",
    "Limit",
    "Message",
    "Notice",
    "Offer",
    "PersonalKey",
    "Process",
    "RecentChoice",
    "Reservation",
    "Run",
    "RunChunk",
    "SharedKey",
    "SignInLink",
    "StoredText",
    "Tally",
    "Turn",
    "UsageRecord",
    "User",
]
