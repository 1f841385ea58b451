"""The engines behind django.tasks. `work` of the chosen one is what `manage.py work` runs; see TASKS_ENGINE."""
