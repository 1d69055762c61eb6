"""What a person skipped is part of their own work, and one project of it is found without reading the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0008_care"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="assignment",
            name="assignment_my_work",
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("state__in", ["submitted", "skipped"])),
                fields=["rater", "-ended_at"],
                name="assignment_my_work",
            ),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("state__in", ["submitted", "skipped"])),
                fields=["rater", "project", "-ended_at"],
                name="assignment_my_project",
            ),
        ),
    ]
