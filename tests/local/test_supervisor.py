"""The supervisor against real child processes: small scripts that play a model server, and the real one."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from chat.local.supervisor import State, Supervisor, child_command
from chat.local.weights import EMBEDDED_MODEL, Weights, find_weights
from chat.providers.errors import ProviderError
from tests.playground_process import children_of

ANNOUNCE = (
    "import json,sys; print(json.dumps({'base_url': 'http://127.0.0.1:9/x/v1', 'context_length': 7}), flush=True)"
)
STAYS = (sys.executable, "-c", f"{ANNOUNCE}; sys.stdin.read()")
LISTENS_TO_NOBODY = (sys.executable, "-c", f"{ANNOUNCE}; import time; time.sleep(600)")
COMPLAINS = (sys.executable, "-c", "import sys; print('0.01 E srv init: no such weights', file=sys.stderr)")


@asynccontextmanager
async def running(command: Sequence[str], model: str = "tiny") -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(command, model, first_pause=0.05)
    task = asyncio.create_task(supervisor.run_forever())
    try:
        yield supervisor
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def model_servers_of(pid: int) -> list[int]:
    return [child for child in children_of(pid) if b"chat.local" in Path(f"/proc/{child}/cmdline").read_bytes()]


async def until(condition: object, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


def weights() -> Weights:
    found = find_weights(None)
    assert found, "the embedded model is part of the lock"
    return found


async def test_announced_server_is_ready_under_its_address() -> None:
    async with running(STAYS) as supervisor:
        base_url = await supervisor.ready(timeout=10)

    assert base_url == "http://127.0.0.1:9/x/v1"
    assert supervisor.status.context_length == 7


async def test_failed_start_says_why() -> None:
    async with running(COMPLAINS) as supervisor:
        with pytest.raises(ProviderError) as caught:
            await supervisor.ready(timeout=10)

    assert caught.value.kind == "local_failed"
    assert "no such weights" in caught.value.sentence


async def test_command_that_does_not_exist_fails_with_a_reason() -> None:
    async with running(("/nowhere/python",)) as supervisor:
        with pytest.raises(ProviderError, match="could not be started"):
            await supervisor.ready(timeout=10)


async def test_waiting_for_a_slow_start_ends_as_loading() -> None:
    async with running((sys.executable, "-c", "import sys; sys.stdin.readline(); sys.stdin.read()")) as supervisor:
        with pytest.raises(ProviderError) as caught:
            await supervisor.ready(timeout=0.05)

    assert caught.value.kind == "loading"


async def test_child_that_listens_to_nobody_ends_with_its_supervisor() -> None:
    others = set(children_of(os.getpid()))
    async with running(LISTENS_TO_NOBODY) as supervisor:
        await supervisor.ready(timeout=10)
        (child,) = set(children_of(os.getpid())) - others

    assert not Path(f"/proc/{child}").exists()


async def test_child_sees_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "environment"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    script = f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ))); {ANNOUNCE}; sys.stdin.read()"

    async with running((sys.executable, "-c", script)) as supervisor:
        await supervisor.ready(timeout=10)

    assert "PATH" in seen.read_text()
    assert "hf_secret" not in seen.read_text()


async def test_real_model_answers_and_comes_back_after_kill() -> None:
    async with running(child_command(weights()), EMBEDDED_MODEL) as supervisor:
        first_url = await supervisor.ready(timeout=60)
        words = await streamed_answer(first_url)
        (child,) = model_servers_of(os.getpid())
        os.kill(child, signal.SIGKILL)
        await until(lambda: supervisor.status.state is State.STARTING)
        second_url = await supervisor.ready(timeout=60)
        words_after = await streamed_answer(second_url)

    assert words.strip() and words_after.strip()
    assert first_url != second_url
    assert supervisor.status.context_length == 4096


async def test_model_server_answers_nobody_without_its_secret_path() -> None:
    async with running(child_command(weights()), EMBEDDED_MODEL) as supervisor:
        url = httpx.URL(await supervisor.ready(timeout=60))
        async with httpx.AsyncClient(trust_env=False) as client:
            refused = await client.get(url.copy_with(path="/v1/models"))
            known = await client.get(url.copy_with(path=f"{url.path}/models"))

    assert refused.status_code == 404
    assert known.json()["data"][0]["id"] == EMBEDDED_MODEL
    assert not known.headers["access-control-allow-origin"]


async def test_unreadable_weights_are_named_as_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not weights at all")

    async with running(child_command(Weights(broken, "broken"))) as supervisor:
        with pytest.raises(ProviderError, match="invalid magic"):
            await supervisor.ready(timeout=60)


RUN_FOREVER = "import asyncio; from chat.local import supervisor; asyncio.run(supervisor.run_forever())"


def test_child_ends_when_its_parent_is_killed() -> None:
    environment = {**os.environ, "LOCAL_MODEL": "on", "DJANGO_SETTINGS_MODULE": "playground.settings"}
    parent = subprocess.Popen([sys.executable, "-c", RUN_FOREVER], env=environment, cwd=settings.BASE_DIR)
    try:
        child = wait_for_child(parent.pid)
    finally:
        parent.kill()
        parent.wait()

    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}/cmdline").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}/cmdline").exists()


def test_child_ends_when_its_parent_is_gone_before_it_is_ready() -> None:
    with subprocess.Popen(
        child_command(weights()), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdout.close()
        child.stdin.write(b"secret\n")
        child.stdin.close()

        assert child.wait(timeout=60) == 0


def wait_for_child(pid: int) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := model_servers_of(pid):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no model server was started")


async def streamed_answer(base_url: str) -> str:
    body = {
        "model": EMBEDDED_MODEL,
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 12,
        "stream": True,
        "seed": 1,
    }
    text = ""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=60) as client,
        client.stream("POST", f"{base_url}/chat/completions", json=body) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                text += json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
    return text
