"""Rows that the admin shows and does not change."""

from collections.abc import Callable, Collection
from typing import ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property

from recordings import ledger, permissions

LONGEST_LIST = 1000


class BoundedPaginator(Paginator):
    """Counts to LONGEST_LIST and no further, so that no list ever counts a whole table."""

    object_list: models.QuerySet

    @cached_property
    def count(self) -> int:
        return self.object_list[:LONGEST_LIST].count()


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only their own room may write (invariant 2): the admin shows them and nothing else."""

    paginator = BoundedPaginator
    list_per_page = 50
    show_full_result_count = False
    sortable_by = ()
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    hidden: ClassVar[tuple[str, ...]] = ()
    actions: tuple[str, ...] = ()
    # Whose list and rows are the history itself, so that reading them is recorded.
    is_history = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return permissions.may(request.user, permissions.LOOK)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return permissions.may(request.user, permissions.LOOK)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        self._note_read(request, response)
        return response

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list:
        """Every column, hashes as hex. `hidden` ones never leave."""
        columns = (field for field in self.opts.concrete_fields if field.name not in self.hidden)
        return [_hex(field.name) if isinstance(field, models.BinaryField) else field.name for field in columns]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list:
        return self.get_fields(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        self._note_read(request, response)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Nothing is changed here, so Django's own history would always be empty, which is misleading."""
        raise Http404("The history of a call is on its own page.")

    def _note_read(self, request: HttpRequest, response: HttpResponse) -> None:
        """Who is led elsewhere has read nothing.

        Of the address the ledger keeps, for ever, what this page offers to choose: any other word may be a name.
        """
        if not self.is_history or response.status_code != 200:
            return
        assert isinstance(request.user, User)
        chosen = {name: value for name, value in sorted(request.GET.items()) if value in self._offered(name)}
        asked = f"{request.path}?{urlencode(chosen)}" if chosen else request.path
        ledger.note_history_read(asked, user=request.user, now=timezone.now())

    def _offered(self, word: str) -> Collection[str]:
        """The values that the filter of this word leads to; none for a word that is no filter of this page."""
        if word not in {f"{name}__exact" for name in self.list_filter or ()}:
            return ()
        field = self.opts.get_field(word.removesuffix("__exact"))
        assert isinstance(field, models.Field)
        return [str(value) for value, _ in field.flatchoices]


def _hex(name: str) -> Callable[[models.Model], str]:
    @admin.display(description=name.replace("_", " "))
    def shown(row: models.Model) -> str:
        return bytes(getattr(row, name)).hex()

    return shown
