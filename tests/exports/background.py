"""Exports made in the background, the way the product makes them: asked for, sealed, made by the worker."""

import io
import json
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.http import QueryDict

from recordings import export_rows, exports
from recordings.choices import ExportFormat, ExportSheet
from recordings.exports import Period, Wanted
from recordings.ledger import sealing
from recordings.ledger.keys import signing_key
from recordings.models import Actor, Export, ExportPart

VERIFIER = Path(exports.__file__).parent / "verifier" / "verify.py"


def ask(
    by: User,
    *,
    now: datetime,
    sheet: ExportSheet = ExportSheet.HISTORY,
    form: ExportFormat = ExportFormat.EXACT,
    query: str = "",
    period: Period | None = None,
    **more: Any,
) -> Export:
    narrowed = export_rows.Narrowed(period or Period(), by, now)
    chosen = export_rows.choose(sheet, QueryDict(query), narrowed=narrowed)
    wanted = Wanted(
        sheet,
        form,
        "the auditor asked",
        query=chosen.query,
        sentence=chosen.sentence,
        told=chosen.told,
        period=narrowed.period,
        **more,
    )
    return exports.request_export(wanted, actor=Actor.objects.person(by), user=by, now=now)


def seal(now: datetime) -> None:
    while sealing.seal(now, key=signing_key()):
        pass


def make(now: datetime) -> int:
    return exports.make_exports(now, rows_of=lambda export: export_rows.rows_of(export, now=now), clock=lambda: now)


def file_of(export: Export) -> bytes:
    return b"".join(bytes(part.content) for part in ExportPart.objects.filter(export=export).order_by("number"))


def made(by: User, *, now: datetime, **words: Any) -> tuple[Export, zipfile.ZipFile]:
    """Ask, seal what there is, and make it."""
    export = ask(by, now=now, **words)
    seal(now)
    make(now)
    export.refresh_from_db()
    return export, zipfile.ZipFile(io.BytesIO(file_of(export)))


def manifest_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return found


def verify(archive: bytes, place: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """What an auditor does, with a bare Python: no site, no packages, nothing of the product."""
    path = place / "export.zip"
    path.write_bytes(archive)
    command = [sys.executable, "-I", "-S", str(VERIFIER), str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=place)
