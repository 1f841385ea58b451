"""A small supervised family as a program of its own: three sleepers, one of them with a child, one of them deaf."""

import sys
import time
from pathlib import Path

from recordings.management.stopping import told_to_stop
from recordings.management.supervisor import Supervisor

SLEEPER = "import time; time.sleep(600)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{SLEEPER}'])"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"


def main(directory: Path) -> None:
    supervisor = Supervisor(directory, {})
    with told_to_stop() as stopping:
        for name, program in (("sleeper", SLEEPER), ("parent", PARENT), ("deaf", DEAF)):
            supervisor.start(name, [sys.executable, "-c", program], cwd=directory)
        time.sleep(0.5)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        stopping.wait()
        supervisor.stop(grace=0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
