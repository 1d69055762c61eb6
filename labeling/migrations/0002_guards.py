"""What must hold even when code is wrong: append-only rows, frozen guidelines, values within their scale."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION labeling_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION labeling_only_retire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.current OR NOT OLD.current OR to_jsonb(NEW) - 'current' <> to_jsonb(OLD) - 'current' THEN
        RAISE EXCEPTION 'annotation % is append-only: it can only be retired by a revision', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION labeling_within_scale() RETURNS trigger LANGUAGE plpgsql AS $$
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
        ELSE NEW.text <> '' AND NEW.preference IS NULL AND NEW.safe IS NULL AND NEW.rating IS NULL
    END;
    IF fits IS NOT TRUE THEN
        RAISE EXCEPTION 'judgment outside the scale of criterion %', c.key USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guideline_frozen BEFORE UPDATE ON labeling_guideline
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION labeling_refuse_change();
CREATE TRIGGER annotation_append_only BEFORE UPDATE ON labeling_annotation
    FOR EACH ROW EXECUTE FUNCTION labeling_only_retire();
CREATE TRIGGER annotation_no_delete BEFORE DELETE ON labeling_annotation
    FOR EACH ROW EXECUTE FUNCTION labeling_refuse_change();
CREATE TRIGGER judgment_append_only BEFORE UPDATE OR DELETE ON labeling_judgment
    FOR EACH ROW EXECUTE FUNCTION labeling_refuse_change();
CREATE TRIGGER judgment_within_scale BEFORE INSERT ON labeling_judgment
    FOR EACH ROW EXECUTE FUNCTION labeling_within_scale();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON labeling_auditentry
    FOR EACH ROW EXECUTE FUNCTION labeling_refuse_change();

-- Every claim leaves a dead entry at the front of `slot_open`; a fifth of a large table is too many to wait for.
ALTER TABLE labeling_slot SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
"""

UNDO = """
DROP FUNCTION labeling_refuse_change() CASCADE;
DROP FUNCTION labeling_only_retire() CASCADE;
DROP FUNCTION labeling_within_scale() CASCADE;
ALTER TABLE labeling_slot RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
