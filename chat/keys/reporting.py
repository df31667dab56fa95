"""What error pages and error reports may show: never a secret, not even with DEBUG on.

Named by ``DEFAULT_EXCEPTION_REPORTER_FILTER``. It widens Django's own filter, which is off under DEBUG and does not
know that addresses of databases carry passwords.
"""

import re
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class SecretFilter(SafeExceptionReporterFilter):
    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|SEALED|CREDENTIAL|COOKIE|DATABASE|REDIS|CACHES|CHANNEL",
        flags=re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        """Hide the Cookie header too: whoever has it has the session."""
        return {
            name: self.cleansed_substitute if name == "HTTP_COOKIE" else value
            for name, value in super().get_safe_request_meta(request).items()
        }
