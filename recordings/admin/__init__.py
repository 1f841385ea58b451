"""The admin: every row of the domain to be read, none to be changed; users and groups for who keeps them.

Reading asks the same role as the site does, superuser or not. Lists are bounded: they count and sort no table.
"""

from django.contrib import admin

from recordings.admin import evidence, people, watch, work

__all__ = ["evidence", "people", "watch", "work"]

admin.site.site_title = "On Record"
admin.site.site_header = "On Record, admin"
admin.site.index_title = "Stored rows"
