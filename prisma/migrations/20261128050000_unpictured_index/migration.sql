-- Events without an image: of the actions that are to have one these are few. Prisma's schema cannot say this. May be built before, as the
-- indexes of the migrations before this one.
DO $$
DECLARE
    "broken" RECORD;
BEGIN
    -- What a concurrent build leaves behind when it fails has the name and serves nobody.
    FOR "broken" IN
        SELECT c."relname" FROM pg_index i JOIN pg_class c ON c."oid" = i."indexrelid"
        WHERE NOT i."indisvalid" AND c."relnamespace" = current_schema()::regnamespace
            AND c."relname" = 'action_event_rows_unpictured_idx'
    LOOP
        EXECUTE format('DROP INDEX %I', "broken"."relname");
    END LOOP;
END $$;

CREATE INDEX IF NOT EXISTS "action_event_rows_unpictured_idx" ON "action_event_rows"("type", "run_id")
    WHERE "highlight_key" IS NULL;
