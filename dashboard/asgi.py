import os

from django.core.asgi import get_asgi_application

from recordings.startup import refuse_to_serve_on_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

application = get_asgi_application()
refuse_to_serve_on_errors()
