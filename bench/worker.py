"""One worker of `bench.bulk`, as a process: for each line it reads it works off the bulk corrections that wait."""

import sys

from django.conf import settings
from django.utils import timezone

from recordings import passes, services
from sandbox.defaults import CLIENT_ID, CLIENT_SECRET, TENANT_ID

MOST = 1_000_000


def connect(base_url: str, ca_file: str) -> None:
    """Use the stand-in for Microsoft, as often as it can answer."""
    settings.GRAPH_BASE_URL, settings.GRAPH_AUTHORITY = f"{base_url}/v1.0", f"{base_url}/{TENANT_ID}/v2.0"
    settings.GRAPH_TENANT_ID, settings.GRAPH_CLIENT_ID = TENANT_ID, CLIENT_ID
    settings.GRAPH_CLIENT_SECRET, settings.GRAPH_CA_BUNDLE = CLIENT_SECRET, ca_file
    settings.GRAPH_RATE, settings.GRAPH_BURST = 100_000.0, 100_000


def main(width: str, base_url: str, ca_file: str) -> None:
    connect(base_url, ca_file)
    settings.BULK_WIDTH = int(width)
    services.run_bulk_due(timezone.now(), limit=MOST)  # connects to the database; nothing waits yet
    passes.settle_in()
    print("ready", flush=True)
    for _ in sys.stdin:
        services.run_bulk_due(timezone.now(), limit=MOST)
        print("ready", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
