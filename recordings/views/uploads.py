"""Taking files in: one small enough is kept in memory, of a larger one nothing is kept anywhere."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from recordings.models import EvidenceFile

# A body up to here is read to its end, so that the browser gets our answer; of a larger one nothing more is read.
MOST_READ = 8 * EvidenceFile.LARGEST_BYTES


class BoundedUploadHandler(FileUploadHandler):
    """Django's own handlers write a file of any size to disk, and the CSRF check reads it before any view is asked."""

    def handle_raw_input(
        self, input_data: Any, meta: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        self.is_endless = content_length > MOST_READ

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.is_endless:
            raise StopUpload(connection_reset=True)
        self.kept, self.seen = BytesIO(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Count every byte; of a file that is too large nothing stays."""
        self.seen += len(raw_data)
        if self.seen > EvidenceFile.LARGEST_BYTES:
            self.kept = BytesIO()
        else:
            self.kept.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """The file; one that is too large has its size and no content, and forms refuse it by its size."""
        self.kept.seek(0)
        return InMemoryUploadedFile(
            self.kept,
            self.field_name,
            self.file_name,
            self.content_type,
            file_size,
            self.charset,
            self.content_type_extra,
        )


def is_cut(request: HttpRequest) -> bool:
    """Whether the body was so large that its files were not read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return length.isdigit() and int(length) > MOST_READ
