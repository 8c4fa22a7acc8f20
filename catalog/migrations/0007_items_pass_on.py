"""One linking may pass an inventory item from one variant of ours to another: unique after each statement, not row by row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_suspects_of_an_item"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="listedvariant",
            name="one_variant_per_inventory_item",
        ),
        migrations.AddConstraint(
            model_name="listedvariant",
            constraint=models.UniqueConstraint(
                fields=["store", "item_ref"],
                name="one_variant_per_inventory_item",
                deferrable=models.Deferrable.IMMEDIATE,
            ),
        ),
    ]
