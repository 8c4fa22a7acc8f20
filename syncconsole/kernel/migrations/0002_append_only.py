from django.db import migrations

from syncconsole.kernel.immutable import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [refuse_changes("kernel_auditentry")]
