"""What ``deploy/`` says is so: its settings exist, its versions fit, its times leave room for a drain."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from chat.pump import BEAT_SECONDS
from tests.settings import variables_read

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
UNIT = (DEPLOY / "playground@.service").read_text(encoding="utf-8")
# Of the image's Python, and of the other images of compose.
ELSEWHERE = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "POSTGRES_PASSWORD", "HTTP_PORT"}


def settings_named() -> set[str]:
    told = re.findall(r"^    ([A-Z_]+): ", COMPOSE, re.MULTILINE) + re.findall(r"\$\{([A-Z_]+)", COMPOSE)
    told += re.findall(r"^Environment=([A-Z_]+)=", UNIT, re.MULTILINE)
    return {*told, *re.findall(r"([A-Z_]+)=", "".join(re.findall(r"^ENV .+$", DOCKERFILE, re.MULTILINE)))}


def seconds(text: str, name: str) -> int:
    found = re.search(rf"{name}[:=]\s*\"?(\d+)", text)
    assert found is not None, name
    return int(found[1])


def test_every_setting_named_exists() -> None:
    named = settings_named()

    assert {"DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "DATA_DIR", "PORT"} <= named
    assert named <= variables_read() | ELSEWHERE


def test_python_of_the_image_is_one_that_the_project_takes() -> None:
    versions = re.findall(r"FROM python:(\d+)\.(\d+)", DOCKERFILE)
    oldest = re.search(r'requires-python = ">=(\d+)\.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert oldest is not None and len(set(versions)) == 1
    assert tuple(map(int, versions[0])) >= tuple(map(int, oldest.groups()))


def test_image_holds_what_it_copies_and_lets_in_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sources = {name for line in copied for name in line.split()}

    assert all((ROOT / name).exists() for name in sources)
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == sources


def test_image_runs_as_nobody_special() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["playground"]
    assert "--require-hashes" in DOCKERFILE


@pytest.mark.parametrize(("text", "name"), [(COMPOSE, "stop_grace_period"), (UNIT, "TimeoutStopSec")])
def test_there_is_time_to_drain(text: str, name: str) -> None:
    drain = max(seconds(COMPOSE, "DRAIN_SECONDS"), settings.DRAIN_SECONDS)

    assert seconds(text, name) > drain + 3


def test_nginx_waits_longer_than_a_socket_is_silent() -> None:
    (waits,) = re.findall(r"proxy_read_timeout (\d+)s;", (DEPLOY / "nginx.conf").read_text(encoding="utf-8"))

    assert int(waits) > 2 * BEAT_SECONDS


def test_files_of_compose_exist() -> None:
    mounted = re.findall(r"^ +- \./([\w.]+):", COMPOSE, re.MULTILINE)
    (dockerfile,) = re.findall(r"dockerfile: (\S+)", COMPOSE)

    assert mounted and all((DEPLOY / name).is_file() for name in mounted)
    assert (ROOT / dockerfile).is_file()


def test_every_process_of_compose_is_behind_nginx_and_may_be_asked_by_its_name() -> None:
    services = re.findall(r"^  (playground-\d+):\n    <<: \*playground", COMPOSE, re.MULTILINE)

    assert re.findall(r"server (playground-\d+):8000 resolve;", COMPOSE) == services
    assert re.findall(r"^      (playground-\d+):\n +condition: service_healthy", COMPOSE, re.MULTILINE) == services
    assert re.search(r"ALLOWED_HOSTS: (\S+)", COMPOSE)[1].split(",") == services  # type: ignore[index]
