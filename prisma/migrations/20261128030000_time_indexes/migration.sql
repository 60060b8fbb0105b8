-- What lists videos by time, and what a tidy-up by age looks for. Each build keeps writers of its table waiting. Where that is too long,
-- build them before, with CREATE INDEX CONCURRENTLY and under these names: what is there is left as it is.
--
-- The indexes of each table are a migration, and so a transaction, of their own: a worker writes to these tables in one transaction, in
-- either order, and would wait for a build of the one while the build of the other waits for it.
DO $$
DECLARE
    "broken" RECORD;
BEGIN
    -- What a concurrent build leaves behind when it fails has the name and serves nobody.
    FOR "broken" IN
        SELECT c."relname" FROM pg_index i JOIN pg_class c ON c."oid" = i."indexrelid"
        WHERE NOT i."indisvalid" AND c."relnamespace" = current_schema()::regnamespace
            AND c."relname" IN ('videos_created_at_id_idx', 'videos_completed_at_idx')
    LOOP
        EXECUTE format('DROP INDEX %I', "broken"."relname");
    END LOOP;
END $$;

-- The list of videos, newest first, in its whole order.
CREATE INDEX IF NOT EXISTS "videos_created_at_id_idx" ON "videos"("created_at" DESC, "id");
CREATE INDEX IF NOT EXISTS "videos_completed_at_idx" ON "videos"("completed_at");
