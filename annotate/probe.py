"""`python -m annotate.probe`: is the web server of this container alive? Exit status 0 if so."""

from __future__ import annotations

import os
import sys
import urllib.request
from urllib.parse import urlsplit


def main() -> int:
    # Asked by the name that people use, because other names are refused.
    host = urlsplit(os.environ.get("PUBLIC_URL") or "http://localhost").hostname or "localhost"
    request = urllib.request.Request("http://127.0.0.1:8000/livez", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=4) as page:  # noqa: S310 (always this machine)
            return 0 if page.status == 200 else 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
