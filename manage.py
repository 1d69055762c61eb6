#!/usr/bin/env python
"""Django's command line. It finds the embedded servers under var/ by itself, running or not."""

import os
import sys

from annotate.local.attach import attached_services


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.settings")
    with attached_services():
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
