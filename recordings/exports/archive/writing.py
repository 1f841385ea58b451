"""An archive: rows, the entries behind them, the proof that these are in the ledger, and what checks it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from recordings.exports.archive.entries import SortedEntries
from recordings.exports.archive.manifest import manifest, to_sign
from recordings.exports.archive.members import Member, member_of, written, zipped
from recordings.exports.archive.proofs import complete_range, consistency, proof_lines
from recordings.exports.archive.rows import Contents, Counted, data_chunks
from recordings.exports.sheet import PAGE
from recordings.ledger.proofs import consistency_proof

VERIFIER = Path(__file__).parents[1] / "verifier"

type Told = Callable[[], Mapping[str, Any]]
type OnPage = Callable[[int], None]


def write_archive(
    contents: Contents,
    *,
    told: Told,
    sign: Callable[[str], str],
    on_page: OnPage = lambda rows: None,
    beside: Sequence[Member] = (),
) -> Iterator[bytes]:
    """The bytes of a ZIP, in pieces; what it needs stands on disk until the last one, in files without
    a name, which are gone with the process; and no file in memory.

    Read it in the process that has the ledger's key: `sign` makes a signed note of a text (`ledger.notes.sign_note`).
    `told` is asked for the manifest's words of who, why, when and which filter after all rows were read; the same
    rows, seal and words give the same bytes. `on_page` hears how many rows there are by now, and may raise to end it.
    What stands `beside` the data comes before it, so that people find it first.
    """
    with ExitStack() as open_files, SortedEntries() as entries:
        counted = Counted()
        files = list(_files(contents, entries, counted, on_page, open_files))
        on_page(counted.rows)
        ranges = complete_range(entries.ranges()) if contents.sheet.name == "ledger" else None
        tools = [member_of(name, (VERIFIER / name).read_bytes()) for name in ("README.txt", "verify.py")]
        named = [*tools, *beside, *files]
        words = manifest(contents, counted, named, entries=entries.count(), complete=ranges, told=told())
        signed = [member_of("manifest.json", words), member_of("manifest.sig", sign(to_sign(words)).encode())]
        yield from zipped(chain(tools, signed, beside, files))


def _files(
    contents: Contents, entries: SortedEntries, counted: Counted, on_page: OnPage, open_files: ExitStack
) -> Iterator[Member]:
    """What the manifest names, in the order in which one comes out of the other."""
    seal = contents.seal

    def kept(name: str, chunks: Iterator[bytes]) -> Member:
        return written(name, chunks, file=open_files.enter_context(TemporaryFile(prefix="onrecord-export-")))

    def heard(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for number, chunk in enumerate(chunks):
            yield chunk
            if number % PAGE == 0:
                on_page(counted.rows)

    yield kept(contents.data_name, data_chunks(contents, entries=entries, counted=counted, on_page=on_page))
    yield kept("entries.jsonl", heard(entries.lines()))
    proofs = proof_lines(entries.ranges, leaves=entries.count(), size=seal.size, root=bytes(seal.root_hash))
    yield kept("proofs.jsonl", heard(proofs))
    yield member_of("checkpoint.txt", seal.checkpoint.encode())
    if contents.since:
        nodes = consistency_proof(contents.since[0], seal.size)
        later = (seal.size, bytes(seal.root_hash))
        yield member_of("consistency.json", consistency(earlier=contents.since, later=later, nodes=nodes))
