"""Reading the environment: what can be used is used, what cannot is one sentence that names its variable."""

import base64
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.environment import (
    Environment,
    UnusableSetting,
    browser_origin,
    database,
    encryption_keys,
    fresh_encryption_key,
    kept_secret,
)
from playground.mail import mail_server
from playground.sharing import derived_secret


def env(**values: str) -> Environment:
    return Environment(values)


def test_empty_counts_as_unset() -> None:
    assert env(PORT="  ").number("PORT", 8000, lowest=1, highest=65535) == 8000


@pytest.mark.parametrize("word", ["0", "65536", "-1", "8000.5", "٨٠٠٠", "http"])
def test_impossible_number_is_refused(word: str) -> None:
    with pytest.raises(UnusableSetting, match=r"^PORT must be a whole number from 1 to 65535"):
        env(PORT=word).number("PORT", 8000, lowest=1, highest=65535)


@pytest.mark.parametrize(("word", "meaning"), [("on", True), ("FALSE", False), ("1", True), ("no", False)])
def test_flag_understands_the_usual_words(word: str, meaning: bool) -> None:
    assert env(DEBUG=word).flag("DEBUG", default=not meaning) is meaning


def test_flag_refuses_other_words() -> None:
    with pytest.raises(UnusableSetting, match="DEBUG must be on or off"):
        env(DEBUG="maybe").flag("DEBUG", default=False)


def test_choice_refuses_what_is_not_offered() -> None:
    assert env().choice("SIGNUP", ("invitation", "open")) == "invitation"
    with pytest.raises(UnusableSetting, match="SIGNUP must be one of invitation, open"):
        env(SIGNUP="everyone").choice("SIGNUP", ("invitation", "open"))


@pytest.mark.parametrize(
    "address", ["chat.example.com", "ftp://a", "https://", "https://a/x", "https://u:p@a", "http://a:0"]
)
def test_public_address_with_more_or_less_than_an_origin_is_refused(address: str) -> None:
    with pytest.raises(UnusableSetting, match="^PUBLIC_URL must be an address without a path"):
        env(PUBLIC_URL=address).origin("PUBLIC_URL", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("HTTPS://Chat.Example.com:443", "https://chat.example.com"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://a:80", "http://a"),
        ("null", ""),
    ],
)
def test_origin_is_written_as_browsers_do(address: str, origin: str) -> None:
    assert browser_origin(address) == origin


@given(st.text())
def test_any_text_makes_an_origin_or_nothing(text: str) -> None:
    origin = browser_origin(text)

    assert origin == "" or browser_origin(origin) == origin


@pytest.mark.parametrize("address", ["router", "https://user:pw@host/v1", "https://host/v1?x=1", "https://host:99999"])
def test_address_of_an_endpoint_that_cannot_be_called_is_refused(address: str) -> None:
    with pytest.raises(UnusableSetting, match="^HF_ROUTER_URL must be an address such as"):
        env(HF_ROUTER_URL=address).url("HF_ROUTER_URL", "https://router.huggingface.co/v1")


def test_unknown_time_zone_is_refused() -> None:
    with pytest.raises(UnusableSetting, match="TIME_ZONE"):
        env(TIME_ZONE="Mars/Olympus").time_zone("TIME_ZONE", "UTC")


def test_missing_file_is_refused() -> None:
    with pytest.raises(UnusableSetting, match=r"LOCAL_MODEL_PATH: there is no file /nowhere.gguf"):
        env(LOCAL_MODEL_PATH="/nowhere.gguf").file("LOCAL_MODEL_PATH")


def test_data_directory_is_made_for_this_user_alone(tmp_path: Path) -> None:
    path = env(DATA_DIR=str(tmp_path / "a")).directory("DATA_DIR", tmp_path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(UnusableSetting, match="DATA_DIR: cannot use"):
        env(DATA_DIR=str(tmp_path / "a")).directory("DATA_DIR", tmp_path)


def test_secret_is_made_once_and_kept_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"

    first, second = kept_secret(path, "first"), kept_secret(path, "second")

    assert first == second == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["secret_key"]


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    agreed: set[str] = set()
    threads = [
        threading.Thread(target=lambda n=n: agreed.add(kept_secret(tmp_path / "key", f"secret {n}"))) for n in range(16)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(agreed) == 1


def test_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with pytest.raises(UnusableSetting, match="is empty"):
        kept_secret(tmp_path / "key", "fresh")


def test_encryption_keys_are_accepted_in_both_alphabets() -> None:
    key = bytes(range(224, 256))

    (normal,) = encryption_keys([base64.b64encode(key).decode()])

    assert base64.urlsafe_b64decode(normal) == key
    assert encryption_keys([fresh_encryption_key()])


@pytest.mark.parametrize("word", ["short", "é" * 44, base64.b64encode(bytes(31)).decode()])
def test_weak_encryption_key_is_refused_and_not_repeated(word: str) -> None:
    with pytest.raises(UnusableSetting) as caught:
        encryption_keys([word])

    assert word not in str(caught.value)


def test_postgresql_address_is_taken_apart(tmp_path: Path) -> None:
    found = database("postgres://alice:p%40ss@db.example.com:5433/chats?sslmode=require", tmp_path)

    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == (
        "alice",
        "p@ss",
        "db.example.com",
        "5433",
    )
    assert found["NAME"] == "chats"
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["pool"]


@pytest.mark.parametrize("address", ["mysql://a/b", "postgres://host", "postgres:///name", "postgres://h:99999/n"])
def test_other_databases_are_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableSetting, match="DATABASE_URL"):
        database(address, tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "redis://cache",
        "redis://:p%40ss@cache:6379/2",
        "rediss://u:p@[::1]/0",
        "unix:///run/redis.sock",
        "redis://c?x=1",
    ],
)
def test_redis_address_is_taken_as_it_is(address: str) -> None:
    assert env(REDIS_URL=address).redis("REDIS_URL") == address


@pytest.mark.parametrize(
    "address",
    ["cache:6379", "http://cache", "redis://", "redis://cache:0", "redis://c:99999", "redis://c/x", "unix://"],
)
def test_what_is_no_redis_address_is_refused(address: str) -> None:
    with pytest.raises(UnusableSetting, match="^REDIS_URL must look like redis://"):
        env(REDIS_URL=address).redis("REDIS_URL")


def test_derived_secrets_differ_by_installation_and_purpose() -> None:
    derived = {derived_secret(key, purpose) for key in ("one", "another") for purpose in ("names", "layer")}

    assert len(derived) == 4
    assert derived_secret("one", "names") in derived


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", ("", 25, "", "", False, False)),
        ("smtp://mail.example.com", ("mail.example.com", 25, "", "", False, False)),
        ("smtps://anna:p%40ss@mail.example.com", ("mail.example.com", 465, "anna", "p@ss", False, True)),
        ("smtp+tls://anna:pass@mail.example.com:2587", ("mail.example.com", 2587, "anna", "pass", True, False)),
    ],
)
def test_a_mail_server_is_read_from_its_address(address: str, expected: tuple[object, ...]) -> None:
    assert mail_server(address)[1:] == expected


@pytest.mark.parametrize("address", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://host:x"])
def test_an_odd_mail_server_does_not_start_and_shows_no_password(address: str) -> None:
    with pytest.raises(UnusableSetting, match="EMAIL_URL must look like"):
        mail_server(address)
