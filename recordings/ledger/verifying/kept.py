"""Checkpoints that were kept elsewhere, as files: the directory of a witness, or one that somebody put aside."""

from pathlib import Path

from recordings.ledger import checkpoint
from recordings.ledger.checkpoint import BadCheckpoint
from recordings.ledger.verifying.seals import Kept

SUFFIX = ".checkpoint"


class NothingKept(Exception):
    """There is no checkpoint to hold the ledger against. The text is a sentence for people; nothing was verified."""


def kept_in(directory: Path) -> list[Kept]:
    """The checkpoints SIZE.checkpoint in a witness's directory, the smallest first. Raises NothingKept."""
    if not directory.is_dir():
        raise NothingKept(f"There is no directory {directory}. Nothing was verified.")
    paths = (path for path in directory.iterdir() if path.suffix == SUFFIX and _is_size(path.stem))
    kept = sorted((Kept(int(path.stem), path) for path in paths), key=lambda one: one.size)
    if not kept:
        raise NothingKept(f"There is no checkpoint in {directory}: no file SIZE{SUFFIX}. Nothing was verified.")
    return kept


def kept_at(path: Path) -> Kept:
    """The checkpoint in this file, whatever it is called. Raises NothingKept."""
    try:
        size = checkpoint.parse(Kept(0, path).text()).checkpoint.size
    except OSError as error:
        raise NothingKept(f"{path} cannot be read ({error.strerror}). Nothing was verified.") from error
    except BadCheckpoint as bad:
        raise NothingKept(f"{path}: {bad} Nothing was verified.") from bad
    return Kept(size, path)


def _is_size(stem: str) -> bool:
    return stem.isascii() and stem.isdigit() and len(stem) < 20
