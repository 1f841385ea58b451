from django.apps import apps
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

# Static files have their names only once the site runs.
_favicon = lazy(static, str)("recordings/favicon.svg")

# The engines of background work bring pages of their own into the admin. Their jobs are triggers without meaning, their
# buttons leave nothing in the ledger, and their pages are not made for our Content Security Policy.
for _model in apps.get_models():
    if _model._meta.app_label in ("dj_queue", "procrastinate") and admin.site.is_registered(_model):
        admin.site.unregister(_model)

urlpatterns = [
    # What is no page of ours, such as a plain answer, names no icon; browsers then ask for this one.
    path("favicon.ico", RedirectView.as_view(url=_favicon)),
    # One door: the admin's people sign in where everybody does.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/", admin.site.urls),
    path("", include("recordings.urls")),
]
