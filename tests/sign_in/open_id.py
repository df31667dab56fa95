"""An OpenID provider on a port of this machine: discovery, consent, tokens, renewal, signed identity tokens.

It checks what a real one checks: the client and its secret, the redirect address, that a code is spent once and with
the verifier of its challenge (RFC 7636), and that a renewal is the newest.
"""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "playground-client", "canary-client-secret"


@dataclass
class OpenId:
    """Who consents, and what was given out."""

    name: str = "anna"
    sub: str = "5f00aa"
    lifetime: int = 28_800
    is_down: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    renewals: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._get(self)

            def do_POST(self) -> None:
                provider._post(self)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def consent(self, address: str) -> str:
        """Agree to what the authorization request at ``address`` asks; return where that leads."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{back}"

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        if path == "/.well-known/openid-configuration":
            self._answer(handler, 200, self._configuration())
        elif path == "/oauth/jwks":
            self._answer(handler, 200, {"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]})
        elif path == "/oauth/userinfo" and handler.headers["Authorization"] == f"Bearer {(self.given or [''])[-1]}":
            self._answer(handler, 200, {"sub": self.sub, "preferred_username": self.name})
        else:
            self._answer(handler, 401, {"error": "invalid_token"})

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if self.is_down:
            return self._answer(handler, 503, {"error": "try_later"})
        if not self._is_client(handler.headers.get("Authorization", ""), form):
            return self._answer(handler, 401, {"error": "invalid_client"})
        if not (self._redeems(form) if form["grant_type"] == "authorization_code" else self._renews(form)):
            return self._answer(handler, 400, {"error": "invalid_grant"})
        return self._answer(handler, 200, self._tokens())

    def _redeems(self, form: dict[str, str]) -> bool:
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return bool(
            asked
            and asked["redirect_uri"] == form["redirect_uri"]
            and (asked["code_challenge_method"], asked["code_challenge"]) == ("S256", challenge)
        )

    def _renews(self, form: dict[str, str]) -> bool:
        return bool(self.renewals) and form["refresh_token"] == self.renewals[-1]

    def _is_client(self, header: str, form: dict[str, str]) -> bool:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        return header == f"Basic {basic}" or (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)

    def _tokens(self) -> dict[str, Any]:
        self.given.append(f"hf_oauth_canary_{secrets.token_hex(8)}")
        self.renewals.append(f"renewal_canary_{secrets.token_hex(8)}")
        claims = {"iss": self.url, "aud": CLIENT, "sub": self.sub, "exp": int(time.time()) + 600}
        claims["preferred_username"] = self.name
        return {
            "access_token": self.given[-1],
            "token_type": "bearer",
            "expires_in": self.lifetime,
            "refresh_token": self.renewals[-1],
            "id_token": jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "one"}),
        }

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/oauth/authorize",
            "token_endpoint": f"{self.url}/oauth/token",
            "userinfo_endpoint": f"{self.url}/oauth/userinfo",
            "jwks_uri": f"{self.url}/oauth/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
