"""A stand-in for Microsoft on this machine: sign-in, the calls API of Graph, and its notifications."""
