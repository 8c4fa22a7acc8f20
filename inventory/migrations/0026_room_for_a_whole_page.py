from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0025_quarantine_in_holds"),
    ]

    operations = [
        # A job updates all rows of a page in one transaction, and what they were makes room only once it has ended: less than
        # half of a page may be filled for all of them to find theirs there. With 60, two in five went to another page, and
        # into every index.
        migrations.RunSQL(
            "ALTER TABLE inventory_levelpublication SET (fillfactor = 45);"
            "ALTER TABLE inventory_publishedlevel SET (fillfactor = 45);",
            "ALTER TABLE inventory_levelpublication SET (fillfactor = 60);"
            "ALTER TABLE inventory_publishedlevel SET (fillfactor = 70);",
        ),
    ]
