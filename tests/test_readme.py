"""What README.md says is so: its settings, its files, its commands."""

import re
from pathlib import Path

import pytest
from django.conf import settings

import chat
from tests.settings import variables_read

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILE = re.compile(r"`((?:chat|templates|static|tests|playground|deploy)/[\w/.@]+\.\w+)`")
PATHS = sorted({*FILE.findall(README), *FILE.findall(chat.__doc__ or "")})


def test_table_of_settings_is_whole() -> None:
    table = re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)

    assert set(table) == variables_read()
    assert len(table) == len(set(table))


@pytest.mark.parametrize("path", PATHS)
def test_named_file_exists(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_path_of_a_message_is_the_same_in_the_package() -> None:
    told, _, _ = README.partition("## The path of a message")[2].partition("\n## ")

    assert FILE.findall(told)
    assert set(FILE.findall(told)) <= set(FILE.findall(chat.__doc__ or ""))


def test_picture_is_part_of_the_project() -> None:
    (picture,) = re.findall(r"!\[.+\]\((\S+)\)", README)

    assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")


def test_named_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in set(re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
