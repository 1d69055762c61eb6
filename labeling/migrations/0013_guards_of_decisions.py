"""A decision is never rewritten: a later one takes its place, and both stay to be read."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER adjudication_append_only BEFORE UPDATE ON labeling_adjudication
    FOR EACH ROW EXECUTE FUNCTION labeling_only_retire();
"""

UNDO = "DROP TRIGGER adjudication_append_only ON labeling_adjudication;"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0012_quality")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
