import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# The clone sentinel holds and lets go by statements of its own, in several places; whichever it was leaves a row behind. It
# says what the pair is, and what became of it: of several pairs of an item, the newest, and the one settled last.
# A level that was relinked to the other side is closed, which ends its hold too.
KEEP = """
CREATE FUNCTION inventory_keep_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    began boolean := NEW.excluded = 'clone' AND NEW.state <> 'closed';
    pair catalog_clonesuspect%ROWTYPE;
    cause text;
BEGIN
    SELECT k.* INTO pair FROM catalog_clonesuspect k
     WHERE k.store_id = NEW.store_id AND (k.original_item = NEW.item_ref OR k.copy_item = NEW.item_ref)
       AND (NOT began OR k.closed_at IS NULL)
     ORDER BY CASE WHEN NOT began THEN greatest(k.closed_at, k.decided_at) END DESC NULLS LAST, k.id DESC LIMIT 1;
    cause := CASE
        WHEN pair.id IS NULL AND began THEN 'Another variant of the store is like it.'
        WHEN began THEN format(
            CASE pair.kind WHEN 'same_sku' THEN 'The SKU %1$s is on two variants of the store: %2$s, and %3$s.'
                           ELSE 'One inventory item of the store is behind two items here: %2$s, and %3$s.' END,
            pair.sku, pair.original->>'title', pair.copy->>'title')
        WHEN pair.closed_at IS NOT NULL THEN pair.outcome || '.'
        WHEN pair.decision = 'original' THEN 'Decided: the original owns the stock.'
        WHEN pair.decision = 'copy' THEN 'Decided: the copy owns it.'
        WHEN pair.decision = 'same' THEN 'Decided: they are the same item.'
        ELSE '' END;
    INSERT INTO inventory_holdchange (publication_id, at, test, cause, by_id)
    VALUES (NEW.id, clock_timestamp(),
            CASE WHEN began THEN 'q' WHEN NEW.state = 'closed' THEN '' ELSE NEW.hold_test END,
            left(concat_ws(' ', nullif(cause, ''),
                           CASE WHEN NOT began AND NEW.state <> 'closed' THEN nullif(NEW.hold_cause, '') END), 400),
            CASE WHEN NOT began AND pair.closed_at IS NULL THEN pair.decided_by_id END);
    RETURN NULL;
END $$;
CREATE TRIGGER inventory_quarantine AFTER UPDATE OF excluded, state ON inventory_levelpublication
    FOR EACH ROW WHEN ((OLD.excluded = 'clone' AND OLD.state <> 'closed')
                       IS DISTINCT FROM (NEW.excluded = 'clone' AND NEW.state <> 'closed'))
    EXECUTE FUNCTION inventory_keep_quarantine();
INSERT INTO inventory_holdchange (publication_id, at, test, cause)
SELECT id, coalesce(excluded_at, clock_timestamp()), 'q', 'Another variant of the store is like it.'
  FROM inventory_levelpublication WHERE excluded = 'clone' AND state <> 'closed';
"""
FORGET = """
DROP TRIGGER inventory_quarantine ON inventory_levelpublication;
DROP FUNCTION inventory_keep_quarantine;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_suspects_of_an_item"),
        ("inventory", "0024_signed_units"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="holdchange",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
