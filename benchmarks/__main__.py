from __future__ import annotations

import importlib
import sys

from benchmarks.stage import stage

ALL = ("claim", "rating_loop", "importing", "export", "replay")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    with stage() as where:
        for name in names or ALL:
            print(f"\n== {name}", flush=True)
            importlib.import_module(f"benchmarks.{name}").main(where)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
