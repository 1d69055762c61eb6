"""Reasons are a kind of judgment; a consent text that somebody agreed to stays as it was."""

from django.db import migrations

WITHIN_SCALE = """
CREATE OR REPLACE FUNCTION labeling_within_scale() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE c labeling_criterion%ROWTYPE; fits boolean;
BEGIN
    SELECT * INTO c FROM labeling_criterion WHERE id = NEW.criterion_id;
    fits := CASE c.kind
        WHEN 'preference' THEN NEW.safe IS NULL AND NEW.rating IS NULL AND CASE WHEN NEW.both_bad
            THEN c.allow_both_bad AND NEW.preference IS NULL
            ELSE abs(NEW.preference) BETWEEN CASE WHEN c.allow_tie THEN 0 ELSE 1 END AND c.strengths END
        WHEN 'safety' THEN NEW.safe IS NOT NULL AND NEW.preference IS NULL AND NEW.rating IS NULL
            AND (NEW.severity IS NULL OR NEW.severity BETWEEN 1 AND c.severities)
            AND (NOT NEW.safe OR (NEW.severity IS NULL AND NEW.categories = '{}'))
        WHEN 'rating' THEN NEW.rating BETWEEN c.minimum AND c.maximum AND NEW.preference IS NULL AND NEW.safe IS NULL
        %s
        ELSE NEW.text <> '' AND NEW.preference IS NULL AND NEW.safe IS NULL AND NEW.rating IS NULL
    END;
    IF fits IS NOT TRUE THEN
        RAISE EXCEPTION 'judgment outside the scale of criterion %%', c.key USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
REASONS = """WHEN 'reasons' THEN NEW.categories <> '{}' AND NEW.preference IS NULL AND NEW.safe IS NULL
            AND NEW.rating IS NULL AND NEW.severity IS NULL AND NOT NEW.both_bad"""
FROZEN = """
CREATE TRIGGER consent_frozen BEFORE UPDATE ON labeling_consenttext
    FOR EACH ROW WHEN (OLD.text <> NEW.text OR OLD.version <> NEW.version) EXECUTE FUNCTION labeling_refuse_change();
"""


def within_scale(more: str) -> str:
    return WITHIN_SCALE.replace("%ROWTYPE", "%%ROWTYPE") % more


class Migration(migrations.Migration):
    dependencies = [("labeling", "0003_raters_desk")]
    operations = [
        migrations.RunSQL(
            within_scale(REASONS) + FROZEN,
            "DROP TRIGGER consent_frozen ON labeling_consenttext;" + within_scale(""),
        )
    ]
