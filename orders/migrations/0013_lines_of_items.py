from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_pulls_of_orders")]

    operations = [
        migrations.AddIndex(
            model_name="salesorderline",
            index=models.Index(
                condition=models.Q(("item_ref", ""), _negated=True), fields=["item_ref"], name="sales_line_of_item"
            ),
        ),
    ]
