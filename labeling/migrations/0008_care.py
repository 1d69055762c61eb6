"""A queue knows its sensitive lanes, so that a claim need not look for them."""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models import Value


class Migration(migrations.Migration):
    dependencies = [("labeling", "0007_images")]
    operations = [
        migrations.AddField(
            model_name="queue",
            name="lanes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=300),
                db_default=Value([]),
                default=list,
                editable=False,
                help_text=(
                    "The sensitive lanes that its slots may be in. Kept by the verbs that put slots into lanes."
                ),
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="passage",
            name="since_break",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Pairs judged since the last break; a severe one counts as SEVERE.",
            ),
        ),
    ]
