"""One line of the log for each request, where LOG_REQUESTS asks for it: how it was answered, not what it said.

The route stands in place of the address, whose query and one-time secrets are nobody's business. Static files are
answered before and are not logged.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

logger = logging.getLogger(__name__)


@sync_and_async_middleware
def log_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Django middleware; outermost, so that its seconds hold all others."""
    if iscoroutinefunction(get_response):
        return _async(get_response)

    def answer(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response: HttpResponseBase = get_response(request)
        _log(request, response, time.perf_counter() - began)
        return response

    return answer


def _async(
    get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
    async def answer(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = await get_response(request)
        _log(request, response, time.perf_counter() - began)
        return response

    return answer


def _log(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    # Who it is, as far as a view has looked: finding out costs queries.
    user = getattr(request, "_cached_user", None)
    facts = {
        "method": request.method,
        "route": f"/{request.resolver_match.route}" if request.resolver_match else None,
        "status": response.status_code,
        "user": user.pk if user else None,
        "seconds": round(seconds, 4),
    }
    logger.info("Request answered.", extra={"facts": facts})
