from django.db import migrations, models

EXCLUDED = """
CREATE FUNCTION inventory_levelpublication_excluded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.excluded_at := CASE WHEN NEW.excluded <> '' THEN now() END;
    RETURN NEW;
END $$;
CREATE TRIGGER inventory_levelpublication_excluded BEFORE UPDATE OF excluded ON inventory_levelpublication
    FOR EACH ROW WHEN (NEW.excluded <> OLD.excluded)
    EXECUTE FUNCTION inventory_levelpublication_excluded();
"""
"""Exclusions are set in several places. Those from before have no time: nothing has kept it."""
NOT_EXCLUDED = """
DROP TRIGGER inventory_levelpublication_excluded ON inventory_levelpublication;
DROP FUNCTION inventory_levelpublication_excluded();
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0017_steady_drift")]

    operations = [
        migrations.AddField(
            model_name="levelpublication",
            name="excluded_at",
            field=models.DateTimeField(
                editable=False, help_text="Since when it is excluded for this reason: a trigger keeps it.", null=True
            ),
        ),
        migrations.RunSQL(EXCLUDED, NOT_EXCLUDED),
    ]
