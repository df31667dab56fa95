"""Settings for tests: the real ones, read from an environment that holds nothing but the choice of servers.

Data live in a directory that is removed afterwards. Passwords are hashed cheaply and static files keep their names.
"""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

# Which servers the tests run on; unset, they need none.
CHOSEN = {"DATABASE_URL", "REDIS_URL"}
SETTINGS_SOURCE = Path(__file__).resolve().parent.parent / "playground" / "settings.py"


def variables_read() -> set[str]:
    """Return the names of all environment variables that the settings read."""
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS_SOURCE.read_text(encoding="utf-8")))


for name in variables_read() - CHOSEN:
    os.environ.pop(name, None)
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="playground-tests-")
os.environ["LOCAL_MODEL"] = "off"
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

from playground.settings import *  # noqa: E402, F403

# What a crash of the machine may lose is worth nothing here.
if DATABASES["default"]["ENGINE"].endswith("sqlite"):  # noqa: F405
    # A file, because sockets and tasks reach the database from other threads.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"  # noqa: F405
else:
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("servestatic.")]  # noqa: F405
