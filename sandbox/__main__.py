"""python -m sandbox: the stand-in as a command."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from sandbox.defaults import DIRECTORY, PORT
from sandbox.server import Sandbox


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--directory", type=Path, default=Path(DIRECTORY), help="where ca.pem is written")
    parser.add_argument("--http", action="store_true", help="plain HTTP instead of TLS")
    parser.add_argument("--callback-url", help="where notifications are posted")
    parser.add_argument("--list-operations", action="store_true", help="serve the unproven list of operations")
    return parser.parse_args()


def interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    chosen = arguments()
    signal.signal(signal.SIGTERM, interrupted)
    sandbox = Sandbox(
        chosen.directory,
        port=chosen.port,
        http=chosen.http,
        callback_url=chosen.callback_url,
        list_operations=chosen.list_operations,
    )
    try:
        with sandbox:
            sys.stdout.write(f"sandbox ready at {sandbox.base_url}\n")
            sys.stdout.flush()
            sandbox.wait()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
