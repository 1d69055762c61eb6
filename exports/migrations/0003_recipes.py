"""Recipes under a name; a version never changes, but for who made it, when that account goes."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE TRIGGER recipe_frozen BEFORE UPDATE ON exports_storedrecipe
    FOR EACH ROW WHEN (to_jsonb(OLD) - 'created_by_id' <> to_jsonb(NEW) - 'created_by_id')
    EXECUTE FUNCTION labeling_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0001_initial"),
        ("labeling", "0009_states"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StoredRecipe",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=60)),
                ("version", models.PositiveIntegerField()),
                ("recipe", models.JSONField(help_text="Every field, also those left to their default.")),
                (
                    "description",
                    models.CharField(blank=True, help_text="What it is for, or what changed.", max_length=300),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recipes",
                        to="labeling.project",
                    ),
                ),
            ],
            options={"ordering": ["name", "-version"]},
        ),
        migrations.AddConstraint(
            model_name="storedrecipe",
            constraint=models.UniqueConstraint(fields=("project", "name", "version"), name="recipe_version"),
        ),
        migrations.RunSQL(GUARD, "DROP TRIGGER recipe_frozen ON exports_storedrecipe"),
    ]
