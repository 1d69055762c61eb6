#!/usr/bin/env python
"""Django's command line. It finds the embedded servers under var/ by itself, running or not."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from annotate.local.attach import attached_services
from annotate.local.process import CannotStart


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.settings")
    try:
        with attached_services():
            execute_from_command_line(sys.argv)
    except (CannotStart, ImproperlyConfigured) as reason:
        sys.exit(f"manage.py: {reason}")


if __name__ == "__main__":
    main()
