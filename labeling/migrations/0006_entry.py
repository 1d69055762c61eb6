"""A manager allows another try to qualify; a crowd worker's account is bound to one browser."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0005_criteria")]
    operations = [
        migrations.AddField(
            model_name="participation",
            name="extra_attempts",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="Tries that a manager allowed beyond the project's."
            ),
        ),
        migrations.AddField(
            model_name="crowdentry",
            name="key_digest",
            field=models.CharField(
                blank=True,
                help_text="Of the key in the one browser it is bound to; empty lets another one in.",
                max_length=64,
            ),
        ),
    ]
