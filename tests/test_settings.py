"""The settings as whole processes see them: defaults that work, combinations that must not start."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

ROOT = Path(settings.BASE_DIR)
PRINT_SETTINGS = """
import json, sys
from django.conf import settings
print(json.dumps([getattr(settings, name) for name in sys.argv[1:]]))
"""
TLS = {"PUBLIC_URL": "https://chat.example.com"}


def python(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with this environment and nothing else of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables = {**kept, "DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "playground.settings", **environment}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def read(data_dir: Path, *names: str, **environment: str) -> dict[str, Any]:
    done = python(data_dir, "-c", PRINT_SETTINGS, *names, **environment)
    assert done.returncode == 0, done.stderr
    return dict(zip(names, json.loads(done.stdout), strict=True))


def test_nothing_set_serves_this_machine_alone(tmp_path: Path) -> None:
    found = read(tmp_path, "HOST", "PORT", "DEBUG", "PUBLIC_URL", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "SIGNUP")

    assert found == {
        "HOST": "127.0.0.1",
        "PORT": 8000,
        "DEBUG": False,
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"],
        "SESSION_COOKIE_SECURE": False,
        "SIGNUP": "invitation",
    }


def test_without_redis_nothing_is_told_to_other_processes(tmp_path: Path) -> None:
    assert read(tmp_path, "CHANNEL_LAYERS") == {"CHANNEL_LAYERS": {}}


def test_installations_that_share_redis_hear_only_their_own(tmp_path: Path) -> None:
    names = ("CHANNEL_LAYERS", "CACHES")
    [one, other] = [read(tmp_path / name, *names, REDIS_URL="redis://cache:6379/0") for name in ("one", "other")]

    for which in ("prefix", "symmetric_encryption_keys"):
        configurations = [found["CHANNEL_LAYERS"]["default"]["CONFIG"] for found in (one, other)]
        assert configurations[0][which] != configurations[1][which]
    assert one["CACHES"]["default"]["KEY_PREFIX"] != other["CACHES"]["default"]["KEY_PREFIX"]


def test_second_start_keeps_the_secrets(tmp_path: Path) -> None:
    first = read(tmp_path, "SECRET_KEY", "ENCRYPTION_KEYS")
    second = read(tmp_path, "SECRET_KEY", "ENCRYPTION_KEYS")

    assert first == second
    assert len(first["SECRET_KEY"]) >= 50


def test_token_is_read_under_either_name(tmp_path: Path) -> None:
    assert read(tmp_path, "HF_TOKEN", HUGGINGFACE_API_KEY="hf_a")["HF_TOKEN"] == "hf_a"
    assert read(tmp_path, "HF_TOKEN", HUGGINGFACE_API_KEY="hf_a", HF_TOKEN="hf_b")["HF_TOKEN"] == "hf_b"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"HOST": "0.0.0.0"}, "HOST=0.0.0.0 opens the server to others: set PUBLIC_URL"),
        ({"HOST": "0.0.0.0", "DEBUG": "on", **TLS}, "DEBUG shows internals to every visitor"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be at least 50 random characters"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY must be at least 50 random characters"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name its hosts"),
        ({"PORT": "eighty"}, "PORT must be a whole number"),
        ({"REDIS_URL": "cache:6379"}, "REDIS_URL must look like redis://:password@host:6379/0"),
        ({"DATA_DIR": "/proc/nothing"}, "DATA_DIR: cannot use /proc/nothing"),
    ],
)
def test_unsafe_setting_ends_in_one_sentence(tmp_path: Path, environment: dict[str, str], sentence: str) -> None:
    done = python(tmp_path, "manage.py", "serve", **environment)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot start: {sentence}")
    assert done.stderr.count("\n") == 1


def test_deployment_check_is_clean_behind_tls(tmp_path: Path) -> None:
    done = python(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **TLS)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_cookies_are_bound_to_the_host_behind_tls(tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")

    found = read(tmp_path, *names, **TLS)

    assert all(found[name].startswith("__Host-") for name in names[:2])
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True


@pytest.mark.sqlite
@pytest.mark.django_db
def test_sqlite_waits_for_writers_and_checks_references() -> None:
    names = ("journal_mode", "foreign_keys", "busy_timeout")

    with connection.cursor() as cursor:
        values = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names}

    assert values == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000}
