from django.db import migrations

from syncconsole.kernel.immutable import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_initial")]
    operations = [
        refuse_changes("inventory_ledgerentry"),
        refuse_changes("inventory_publicationentry", except_columns=["applied"]),
    ]
