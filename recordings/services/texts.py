"""What people write goes into rows and the ledger as it stands, or not at all."""

LONGEST = 1000


def kept(text: str, *, what: str, error: type[Exception]) -> str:
    """`text` without white space at its ends. Raises `error` with a sentence for one that cannot be kept whole."""
    stripped = text.strip()
    if len(stripped) > LONGEST:
        raise error(f"The {what} is longer than {LONGEST} characters. Nothing was stored or sent.")
    if stripped != storable(stripped):
        raise error(f"The {what} holds characters that cannot be stored. Nothing was stored or sent.")
    return stripped


def storable(text: str) -> str:
    """`text` without what no database keeps: half characters (lone surrogates) and NUL."""
    return text.encode(errors="replace").decode().replace("\x00", "?")
