import django.db.models.deletion
from django.db import migrations, models

# Whoever changes the column, and by whatever statement, leaves a row behind: people sign, and it shrinks by itself.
KEEP = """
CREATE FUNCTION inventory_keep_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inventory_signedunits (publication_id, units, since)
    VALUES (NEW.id, NEW.acknowledged_offset, clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER inventory_signed AFTER UPDATE OF acknowledged_offset ON inventory_levelpublication
    FOR EACH ROW WHEN (OLD.acknowledged_offset IS DISTINCT FROM NEW.acknowledged_offset)
    EXECUTE FUNCTION inventory_keep_signed();
INSERT INTO inventory_signedunits (publication_id, units, since)
SELECT p.id, p.acknowledged_offset, coalesce(max(a.signed_at), clock_timestamp())
  FROM inventory_levelpublication p LEFT JOIN inventory_offsetacknowledgement a ON a.publication_id = p.id
 WHERE p.acknowledged_offset <> 0 GROUP BY p.id;
"""
FORGET = """
DROP TRIGGER inventory_signed ON inventory_levelpublication;
DROP FUNCTION inventory_keep_signed;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0023_fewer_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignedUnits",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("units", models.IntegerField()),
                ("since", models.DateTimeField()),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signed_history",
                        to="inventory.levelpublication",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "signed units",
                "indexes": [models.Index(fields=["publication", "-since", "-id"], name="signed_units_newest")],
            },
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
