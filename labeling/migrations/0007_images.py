"""An image is found by the name of its file, which is also its address."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0006_entry")]

    operations = [
        migrations.AddConstraint(
            model_name="image",
            constraint=models.UniqueConstraint(fields=("storage_name",), name="image_file_once"),
        ),
    ]
