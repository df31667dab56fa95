"""The encryption key is changed under a running server: what it stores and opens goes on, and the old key goes."""

import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests.playground_process import PlaygroundProcess
from tests.served_provider import ServedProvider

SECRET = "hf_good_canary_before_aaaa"
SEALED_WITH = "from chat.models import *; print({k.sealed.split('.')[1] for k in PersonalKey.objects.all()})"


def rotate(server: PlaygroundProcess) -> str:
    command = [sys.executable, "manage.py", "rotate_encryption_key", "--grace", "0.5"]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=server.environment, capture_output=True, text=True, check=True
    ).stdout


def test_a_running_server_opens_and_seals_with_the_new_key(tmp_path: Path) -> None:
    with ServedProvider() as provider:
        hub = provider.base_url.removesuffix("/v1")
        with (
            PlaygroundProcess(tmp_path, HF_ROUTER_URL=provider.base_url, HF_HUB_URL=hub) as server,
            server.signed_in() as browser,
        ):
            page = browser.get("/keys/").text
            token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
            endpoint = server.run("from chat.models import *; print(Endpoint.objects.get(slug='hf').pk)")

            def store(secret: str) -> None:
                fields = {"csrfmiddlewaretoken": token, "secret": secret, "endpoint": endpoint}
                assert browser.post("/keys/add/", data=fields).status_code in (200, 302)

            store(SECRET)
            before, old = server.run(SEALED_WITH), (tmp_path / "encryption_key").read_text()
            said = rotate(server)
            store("hf_good_canary_after_bbbb")
            pk = server.run("from chat.models import *; print(PersonalKey.objects.order_by('pk').first().pk)")
            checked = browser.post(f"/keys/{pk}/check/", data={"csrfmiddlewaretoken": token}, follow_redirects=True)
            after = server.run(SEALED_WITH)

    assert "Sealed again: 1." in said and "forgotten" in said
    assert old not in (tmp_path / "encryption_key").read_text()
    assert before != after and "," not in after
    assert "cannot be read" not in checked.text and "ENCRYPTION_KEYS" not in checked.text
    assert "Belongs to" in checked.text
