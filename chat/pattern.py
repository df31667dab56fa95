"""One partial in one state, as ``/patterns/`` shows it; the values are invented."""

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Pattern:
    title: str
    template: str
    context: dict[str, Any]

    @property
    def html(self) -> SafeString:
        return render_to_string(self.template, self.context)
