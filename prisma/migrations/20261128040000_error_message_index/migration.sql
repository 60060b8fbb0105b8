-- What is known of a dead letter. May be built before, as the indexes of the migration before this one.
DO $$
DECLARE
    "broken" RECORD;
BEGIN
    -- What a concurrent build leaves behind when it fails has the name and serves nobody.
    FOR "broken" IN
        SELECT c."relname" FROM pg_index i JOIN pg_class c ON c."oid" = i."indexrelid"
        WHERE NOT i."indisvalid" AND c."relnamespace" = current_schema()::regnamespace
            AND c."relname" = 'error_events_message_id_idx'
    LOOP
        EXECUTE format('DROP INDEX %I', "broken"."relname");
    END LOOP;
END $$;

CREATE INDEX IF NOT EXISTS "error_events_message_id_idx" ON "error_events"("message_id");
