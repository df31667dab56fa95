"""What error pages and error reports may show: never a secret, not even with DEBUG on.

Named by ``DEFAULT_EXCEPTION_REPORTER_FILTER``. It widens Django's own filter, which is off under DEBUG, shows local
variables, and does not know that addresses of databases carry passwords.
"""

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class SecretFilter(SafeExceptionReporterFilter):
    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern
        + "|SEALED|CREDENTIAL|CLEANED|DATABASE|REDIS|CACHES|CHANNEL",
        flags=re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return {
            name: self.cleansed_substitute if self.hidden_settings.search(name) else value
            for name, value in super().get_traceback_frame_variables(request, tb_frame)
        }.items()
