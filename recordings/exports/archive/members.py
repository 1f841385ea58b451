"""The files of an archive, and the ZIP around them, both without holding a file in memory."""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import RawIOBase
from typing import IO

# ZIP keeps a time of each file; the same files are the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
_UNIX = 3
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Member:
    """One file: its name, size in bytes and SHA-256, and its bytes, read anew each time."""

    name: str
    bytes: int
    sha256: str
    chunks: "Chunks"

    @property
    def described(self) -> dict[str, int | str]:
        return {"bytes": self.bytes, "sha256": self.sha256}


class Chunks:
    """Bytes that can be read as often as one likes."""

    def __init__(self, source: IO[bytes] | bytes) -> None:
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._source, bytes):
            yield self._source
            return
        self._source.seek(0)
        while chunk := self._source.read(_CHUNK):
            yield chunk


def member_of(name: str, content: bytes) -> Member:
    return Member(name, len(content), sha256(content).hexdigest(), Chunks(content))


def written(name: str, chunks: Iterable[bytes], *, file: IO[bytes]) -> Member:
    """A member whose bytes stand in `file`, which stays open until the ZIP is made."""
    size, digest = 0, sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
        file.write(chunk)
    return Member(name, size, digest.hexdigest(), Chunks(file))


def zipped(members: Iterable[Member]) -> Iterator[bytes]:
    """The bytes of a ZIP with these members, in their order. The same members are the same bytes."""
    taken = _Taken()
    with zipfile.ZipFile(taken, "w") as archive:
        for member in members:
            with archive.open(_info(member), "w") as file:
                for chunk in member.chunks:
                    file.write(chunk)
                    yield from taken.all()
    yield from taken.all()


def _info(member: Member) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member.name, _NO_TIME)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, _UNIX, _READABLE
    info.file_size = member.bytes
    return info


class _Taken(RawIOBase):
    """What zipfile writes and nobody has taken yet. It cannot be gone back in, so zipfile never tries."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def all(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        if parts:
            yield b"".join(parts)
