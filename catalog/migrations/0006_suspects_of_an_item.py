from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_untracked_index"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="clonesuspect",
            index=models.Index(fields=["store", "original_item"], name="clone_suspect_original"),
        ),
        migrations.AddIndex(
            model_name="clonesuspect",
            index=models.Index(fields=["store", "copy_item"], name="clone_suspect_copy"),
        ),
    ]
