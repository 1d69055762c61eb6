"""Each benchmark in a process and a database of its own, so that its figures do not depend on what ran before."""

from __future__ import annotations

import importlib
import subprocess
import sys

from benchmarks.stage import stage

ALL = ("claim", "rating_loop", "submit", "importing", "export", "replay", "analysis", "adaptive")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    if len(names) != 1:
        return max(subprocess.call([sys.executable, "-m", "benchmarks", name]) for name in names or ALL)
    print(f"\n== {names[0]}", flush=True)
    with stage() as where:
        importlib.import_module(f"benchmarks.{names[0]}").main(where)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
