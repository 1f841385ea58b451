"""The worker of `bench.export`, as a process: it makes the exports that wait, and says how many kB it held at most."""

import sys

from django.conf import settings

from bench.processes import peak_kb
from recordings import passes, tasks


def main() -> None:
    settings.DEBUG = False  # else Django remembers every query
    passes.settle_in()
    tasks.run_exports.call()
    sys.stdout.write(str(peak_kb()))


if __name__ == "__main__":
    main()
