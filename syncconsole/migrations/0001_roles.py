"""The roles of a new database. Later changes of the table are applied after every migration (syncconsole/apps.py)."""

from django.db import migrations

from syncconsole.kernel import roles


def make_roles(apps, schema_editor):
    roles.apply(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("axes", "0010_accessattemptexpiration"),
        ("catalog", "0002_initial"),
        ("connectors", "0003_notices"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("inventory", "0003_append_only"),
        ("kernel", "0002_append_only"),
    ]

    # The groups stay when this is taken back: people may have been given them.
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
