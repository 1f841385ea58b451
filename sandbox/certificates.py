"""The certificate authority that the stand-in makes for itself at every start."""

import ssl
from pathlib import Path

import trustme


def tls_context(ca_file: Path) -> ssl.SSLContext:
    """A server's context for this machine; what clients must trust is written to `ca_file`."""
    authority = trustme.CA()
    ca_file.parent.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context
