"""Where every pair lies in the order of datasets, as a number that an index can find ranges of.

Rows are filled in chunks, each a transaction of its own, so that a large project's pairs are never locked for long. So
this migration is not one transaction: each step can be taken again if it was interrupted.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CHUNK = 20_000

# A fingerprint's first 64 bits, as the signed number that orders like it (labeling/models/items.py: stretch_of).
NUMBER = "('x' || left({0}, 16))::bit(64)::bigint # (-9223372036854775808)"
# Whoever adds a pair without saying it, such as a program of the version before, gets it from the responses.
FILL_IN = f"""
CREATE OR REPLACE FUNCTION labeling_pair_stretch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT {NUMBER.format("min(fingerprint)")} INTO NEW.stretch
    FROM labeling_response WHERE id IN (NEW.first_id, NEW.second_id);
    RETURN NEW;
END $$
"""  # noqa: S608 (constants of this module)
TRIGGER = """
CREATE OR REPLACE TRIGGER pair_stretch_filled BEFORE INSERT ON labeling_pair FOR EACH ROW
WHEN (NEW.stretch IS NULL) EXECUTE FUNCTION labeling_pair_stretch()
"""
BACKFILL = f"""
UPDATE labeling_pair pair
SET stretch = {NUMBER.format("smaller.fingerprint")}
FROM (
    SELECT p.id, min(r.fingerprint) AS fingerprint
    FROM labeling_pair p JOIN labeling_response r ON r.id IN (p.first_id, p.second_id)
    WHERE p.stretch IS NULL AND p.id > %s AND p.id <= %s GROUP BY p.id
) smaller
WHERE smaller.id = pair.id
"""  # noqa: S608 (constants of this module)


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM labeling_pair")
        first, last = cursor.fetchone()
        for start in range(first - 1, last, CHUNK):
            cursor.execute(BACKFILL, [start, start + CHUNK])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("labeling", "0018_audit_log")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE labeling_pair ADD COLUMN IF NOT EXISTS stretch bigint",
            "ALTER TABLE labeling_pair DROP COLUMN stretch",
            state_operations=[
                migrations.AddField(
                    "pair",
                    "stretch",
                    models.BigIntegerField(
                        editable=False, help_text="As stretch_of says: 64 bits of its responses' smaller fingerprint."
                    ),
                    preserve_default=False,
                )
            ],
        ),
        migrations.RunSQL(FILL_IN, "DROP FUNCTION labeling_pair_stretch"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER pair_stretch_filled ON labeling_pair"),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL("ALTER TABLE labeling_pair ALTER COLUMN stretch SET NOT NULL", migrations.RunSQL.noop),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS pair_stretch", migrations.RunSQL.noop),
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY pair_stretch ON labeling_pair (project_id, stretch)",
            "DROP INDEX CONCURRENTLY IF EXISTS pair_stretch",
            state_operations=[
                migrations.AddIndex("pair", models.Index(fields=["project", "stretch"], name="pair_stretch"))
            ],
        ),
    ]
