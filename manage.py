#!/usr/bin/env python
"""Django's command line. A setting that cannot be used ends in its one sentence, without a traceback."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    from django.core.management import execute_from_command_line

    from playground.environment import UnusableSetting

    try:
        execute_from_command_line(sys.argv)
    except UnusableSetting as error:
        sys.exit(f"Cannot start: {error}")


if __name__ == "__main__":
    main()
