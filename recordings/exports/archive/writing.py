"""An archive: rows, the entries behind them, the proof that these are in the ledger, and what checks it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
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
    """The bytes of a ZIP, in pieces; files of its own stand on disk until the last one, and no file in memory.

    Read it in the process that has the ledger's key: `sign` makes a signed note of a text (`ledger.notes.sign_note`).
    `told` is asked for the manifest's words of who, why, when and which filter after all rows were read; the same
    rows, seal and words give the same bytes. `on_page` hears how many rows there are by now, and may raise to end it.
    What stands `beside` the data comes before it, so that people find it first.
    """
    with TemporaryDirectory(prefix="onrecord-export-") as name:
        place = Path(name)
        with SortedEntries(place / "entries.sqlite3") as entries:
            counted = Counted()
            files = list(_files(contents, place, entries, counted, on_page))
            on_page(counted.rows)
            ranges = complete_range(entries.ranges()) if contents.sheet.name == "ledger" else None
            tools = [member_of(name, (VERIFIER / name).read_bytes()) for name in ("README.txt", "verify.py")]
            named = [*tools, *beside, *files]
            words = manifest(contents, counted, named, entries=entries.count(), complete=ranges, told=told())
            signed = [member_of("manifest.json", words), member_of("manifest.sig", sign(to_sign(words)).encode())]
            yield from zipped(chain(tools, signed, beside, files))


def _files(
    contents: Contents, place: Path, entries: SortedEntries, counted: Counted, on_page: OnPage
) -> Iterator[Member]:
    """What the manifest names, in the order in which one comes out of the other."""
    seal = contents.seal
    yield written(place / contents.data_name, data_chunks(contents, entries=entries, counted=counted, on_page=on_page))

    def heard(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for number, chunk in enumerate(chunks):
            yield chunk
            if number % PAGE == 0:
                on_page(counted.rows)

    yield written(place / "entries.jsonl", heard(entries.lines()))
    proofs = proof_lines(entries.ranges, leaves=entries.count(), size=seal.size, root=bytes(seal.root_hash))
    yield written(place / "proofs.jsonl", heard(proofs))
    yield member_of("checkpoint.txt", seal.checkpoint.encode())
    if contents.since:
        nodes = consistency_proof(contents.since[0], seal.size)
        later = (seal.size, bytes(seal.root_hash))
        yield member_of("consistency.json", consistency(earlier=contents.since, later=later, nodes=nodes))
