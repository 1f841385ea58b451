import os

from django.core.wsgi import get_wsgi_application

from recordings.startup import refuse_to_serve_on_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

application = get_wsgi_application()
refuse_to_serve_on_errors()
