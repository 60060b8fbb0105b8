-- What lists by time, and what a tidy-up by age or by state looks for. Each build keeps writers of its table waiting. Where that is too long,
-- build them before, with CREATE INDEX CONCURRENTLY and under these names: what is there is left as it is.
DO $$
DECLARE
    "broken" RECORD;
BEGIN
    -- What a concurrent build leaves behind when it fails has the name and serves nobody.
    FOR "broken" IN
        SELECT c."relname" FROM pg_index i JOIN pg_class c ON c."oid" = i."indexrelid"
        WHERE NOT i."indisvalid" AND c."relnamespace" = current_schema()::regnamespace
            AND c."relname" IN ('videos_created_at_id_idx', 'videos_completed_at_idx', 'error_events_message_id_idx',
                'action_event_rows_unpictured_idx')
    LOOP
        EXECUTE format('DROP INDEX %I', "broken"."relname");
    END LOOP;
END $$;

-- The list of videos, newest first, in its whole order.
CREATE INDEX IF NOT EXISTS "videos_created_at_id_idx" ON "videos"("created_at" DESC, "id");
CREATE INDEX IF NOT EXISTS "videos_completed_at_idx" ON "videos"("completed_at");
CREATE INDEX IF NOT EXISTS "error_events_message_id_idx" ON "error_events"("message_id");
-- Events without an image: of the actions that are to have one these are few. Prisma's schema cannot say this.
CREATE INDEX IF NOT EXISTS "action_event_rows_unpictured_idx" ON "action_event_rows"("type", "run_id")
    WHERE "highlight_key" IS NULL;
