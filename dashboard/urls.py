from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

# Static files have their names only once the site runs.
_favicon = lazy(static, str)("recordings/favicon.svg")

urlpatterns = [
    # What is no page of ours, such as a plain answer, names no icon; browsers then ask for this one.
    path("favicon.ico", RedirectView.as_view(url=_favicon)),
    # One door: the admin's people sign in where everybody does.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/", admin.site.urls),
    path("", include("recordings.urls")),
]
