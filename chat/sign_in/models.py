"""What keeps a token from Hugging Face's sign-in working: the secret that renews it, and when that is due."""

from django.db import models
from django.utils import timezone

from chat.keys.models import PersonalKey


class HubToken(models.Model):
    """Beside the personal key that holds the token itself; deleting that ends both."""

    key = models.OneToOneField(PersonalKey, on_delete=models.CASCADE, related_name="hub_token")
    renewal_sealed = models.TextField(blank=True, help_text="Ciphertext; empty where it cannot be renewed.")
    expires_at = models.DateTimeField()
    try_at = models.DateTimeField(default=timezone.now, help_text="Not renewed before.")

    def __str__(self) -> str:
        return f"Sign-in token of {self.key.user}"
