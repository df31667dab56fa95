"""A stand-in for the Hugging Face Hub that knows one page, ``/api/whoami-v2``, on a port of this machine."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

JsonAnswer = tuple[int, Any]
UNAUTHORIZED: JsonAnswer = (401, {"error": "Invalid credentials in Authorization header"})


def whoami(name: str = "anna", role: str = "write", **fields: Any) -> JsonAnswer:
    """What the Hub says about a classic token."""
    token = {"displayName": "playground", "role": role, "createdAt": "2026-01-01T00:00:00.000Z"}
    return 200, {
        "type": "user",
        "name": name,
        "orgs": [],
        "auth": {"type": "access_token", "accessToken": token},
        **fields,
    }


def fine_grained(*owner_rights: str, orgs: dict[str, list[str]] | None = None, name: str = "anna") -> JsonAnswer:
    """What the Hub says about a token with only these rights, for its owner and for organisations."""
    scoped = [{"entity": {"type": "user", "name": name}, "permissions": list(owner_rights)}]
    for org, rights in (orgs or {}).items():
        scoped.append({"entity": {"type": "org", "name": org}, "permissions": rights})
    status, body = whoami(name, "fineGrained", orgs=[{"type": "org", "name": org} for org in orgs or {}])
    body["auth"]["accessToken"]["fineGrained"] = {"canReadGatedRepos": False, "global": [], "scoped": scoped}
    return status, body


class Hub:
    """Answers each token as told by ``says``, others with 401, and remembers which tokens it saw."""

    def __init__(self) -> None:
        self.says: dict[str, JsonAnswer] = {}
        self.seen: list[str] = []
        self.headers: dict[str, str] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, path: str, authorization: str) -> JsonAnswer:
        token = authorization.removeprefix("Bearer ")
        self.seen.append(token)
        return self.says.get(token, UNAUTHORIZED) if path == "/api/whoami-v2" else (404, {"error": "Not Found"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = hub.answer(self.path, self.headers.get("Authorization", ""))
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**hub.headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                """Write nothing: the test's own output is enough."""

        return Handler
