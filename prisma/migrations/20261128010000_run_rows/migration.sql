-- Findings belong to the run that found them. A run stores its rows in many small statements, and nobody sees them
-- until `videos.result_run_id` points at it. What readers know keeps its name and its columns, and becomes a view of
-- the shown run's rows.
ALTER TABLE "videos" ADD COLUMN "result_run_id" UUID;
-- Rows of the run that no reader sees: not yet, or not any more. They are what a tidy-up looks for.
ALTER TABLE "analysis_runs" ADD COLUMN "staged_rows" INTEGER NOT NULL DEFAULT 0;
-- Rows of the finished result.
ALTER TABLE "analysis_runs" ADD COLUMN "result_rows" INTEGER;
ALTER TABLE "analysis_runs" ADD CONSTRAINT "analysis_runs_staged_rows_check" CHECK ("staged_rows" >= 0);

ALTER TABLE "person_tracks" RENAME TO "person_track_rows";
ALTER TABLE "observations" RENAME TO "observation_rows";
ALTER TABLE "person_overlaps" RENAME TO "person_overlap_rows";
ALTER TABLE "action_events" RENAME TO "action_event_rows";
ALTER TABLE "scenes" RENAME TO "scene_rows";

ALTER TABLE "person_track_rows" ADD COLUMN "run_id" UUID;
ALTER TABLE "observation_rows" ADD COLUMN "run_id" UUID;
ALTER TABLE "person_overlap_rows" ADD COLUMN "run_id" UUID;
ALTER TABLE "action_event_rows" ADD COLUMN "run_id" UUID;
ALTER TABLE "scene_rows" ADD COLUMN "run_id" UUID;

-- The rows of a video are those of the run that completed it. Where somebody has deleted runs, the newest that is left
-- takes them, and where none is left, one is made up: findings are not lost for want of a run.
CREATE TEMPORARY TABLE "found" AS
    SELECT DISTINCT "video_id" FROM "person_track_rows"
    UNION SELECT DISTINCT "video_id" FROM "observation_rows"
    UNION SELECT DISTINCT "video_id" FROM "person_overlap_rows"
    UNION SELECT DISTINCT "video_id" FROM "action_event_rows"
    UNION SELECT DISTINCT "video_id" FROM "scene_rows";
INSERT INTO "analysis_runs" ("video_id", "attempt", "fencing_token", "worker", "pack_name", "pack_fingerprint",
    "frames_per_second", "attributes", "finished_at", "alive_until", "outcome")
SELECT v."id", 1, greatest(v."fencing_token", 1), 'unknown', 'unknown', 'unknown', 0, 'per-track',
    coalesce(v."completed_at", now()), now(), 'completed'
FROM "videos" v JOIN "found" f ON f."video_id" = v."id"
WHERE NOT EXISTS (SELECT 1 FROM "analysis_runs" r WHERE r."video_id" = v."id");
UPDATE "videos" v SET "result_run_id" = (
    SELECT r."id" FROM "analysis_runs" r WHERE r."video_id" = v."id"
    ORDER BY r."outcome" = 'completed' DESC, r."fencing_token" DESC LIMIT 1)
WHERE v."id" IN (SELECT "video_id" FROM "found")
    OR EXISTS (SELECT 1 FROM "analysis_runs" r WHERE r."video_id" = v."id" AND r."outcome" = 'completed');
DROP TABLE "found";

UPDATE "person_track_rows" t SET "run_id" = v."result_run_id" FROM "videos" v WHERE v."id" = t."video_id";
UPDATE "observation_rows" t SET "run_id" = v."result_run_id" FROM "videos" v WHERE v."id" = t."video_id";
UPDATE "person_overlap_rows" t SET "run_id" = v."result_run_id" FROM "videos" v WHERE v."id" = t."video_id";
UPDATE "action_event_rows" t SET "run_id" = v."result_run_id" FROM "videos" v WHERE v."id" = t."video_id";
UPDATE "scene_rows" t SET "run_id" = v."result_run_id" FROM "videos" v WHERE v."id" = t."video_id";

-- The run names the video: a second copy of its key in every row could only disagree. Its keys and indexes go with it.
ALTER TABLE "observation_rows" DROP CONSTRAINT "observations_video_id_track_fkey";
ALTER TABLE "action_event_rows" DROP CONSTRAINT "action_events_video_id_track_fkey";
ALTER TABLE "person_track_rows" DROP COLUMN "video_id", ALTER COLUMN "run_id" SET NOT NULL;
ALTER TABLE "observation_rows" DROP COLUMN "video_id", ALTER COLUMN "run_id" SET NOT NULL;
ALTER TABLE "person_overlap_rows" DROP COLUMN "video_id", ALTER COLUMN "run_id" SET NOT NULL;
ALTER TABLE "action_event_rows" DROP COLUMN "video_id", ALTER COLUMN "run_id" SET NOT NULL;
ALTER TABLE "scene_rows" DROP COLUMN "video_id", ALTER COLUMN "run_id" SET NOT NULL;

ALTER TABLE "person_track_rows" ADD CONSTRAINT "person_track_rows_pkey" PRIMARY KEY ("run_id", "track");
ALTER INDEX "observations_pkey" RENAME TO "observation_rows_pkey";
ALTER INDEX "person_overlaps_pkey" RENAME TO "person_overlap_rows_pkey";
ALTER INDEX "action_events_pkey" RENAME TO "action_event_rows_pkey";
ALTER INDEX "scenes_pkey" RENAME TO "scene_rows_pkey";
ALTER INDEX "action_events_type_idx" RENAME TO "action_event_rows_type_idx";
ALTER INDEX "action_events_keywords_idx" RENAME TO "action_event_rows_keywords_idx";
CREATE INDEX "observation_rows_run_id_frame_index_idx" ON "observation_rows"("run_id", "frame_index");
CREATE INDEX "observation_rows_run_id_track_idx" ON "observation_rows"("run_id", "track");
CREATE INDEX "person_overlap_rows_run_id_frame_index_idx" ON "person_overlap_rows"("run_id", "frame_index");
CREATE INDEX "action_event_rows_run_id_start_seconds_idx" ON "action_event_rows"("run_id", "start_seconds");
CREATE INDEX "action_event_rows_run_id_track_idx" ON "action_event_rows"("run_id", "track");
CREATE INDEX "scene_rows_run_id_seconds_idx" ON "scene_rows"("run_id", "seconds");
CREATE UNIQUE INDEX "videos_result_run_id_key" ON "videos"("result_run_id");
-- Small at any time: the runs that are storing, and those whose rows wait for their end. Prisma's schema cannot say this.
CREATE INDEX "analysis_runs_staged_rows_idx" ON "analysis_runs"("video_id") WHERE "staged_rows" > 0;

ALTER TABLE "videos" ADD CONSTRAINT "videos_result_run_id_fkey"
    FOREIGN KEY ("result_run_id") REFERENCES "analysis_runs"("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "person_track_rows" ADD CONSTRAINT "person_track_rows_run_id_fkey"
    FOREIGN KEY ("run_id") REFERENCES "analysis_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "observation_rows" ADD CONSTRAINT "observation_rows_run_id_fkey"
    FOREIGN KEY ("run_id") REFERENCES "analysis_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "observation_rows" ADD CONSTRAINT "observation_rows_run_id_track_fkey"
    FOREIGN KEY ("run_id", "track") REFERENCES "person_track_rows"("run_id", "track") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "person_overlap_rows" ADD CONSTRAINT "person_overlap_rows_run_id_fkey"
    FOREIGN KEY ("run_id") REFERENCES "analysis_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "action_event_rows" ADD CONSTRAINT "action_event_rows_run_id_fkey"
    FOREIGN KEY ("run_id") REFERENCES "analysis_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "action_event_rows" ADD CONSTRAINT "action_event_rows_run_id_track_fkey"
    FOREIGN KEY ("run_id", "track") REFERENCES "person_track_rows"("run_id", "track") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "scene_rows" ADD CONSTRAINT "scene_rows_run_id_fkey"
    FOREIGN KEY ("run_id") REFERENCES "analysis_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE VIEW "person_tracks" AS
    SELECT v."id" AS "video_id", t."track", t."start_seconds", t."end_seconds", t."observations", t."age",
        t."age_group", t."gender", t."gender_score", t."main_action"
    FROM "videos" v JOIN "person_track_rows" t ON t."run_id" = v."result_run_id";
CREATE VIEW "observations" AS
    SELECT t."id", v."id" AS "video_id", t."frame_index", t."seconds", t."track", t."class", t."x1", t."y1", t."x2",
        t."y2", t."score", t."face_x1", t."face_y1", t."face_x2", t."face_y2", t."age", t."age_group", t."gender",
        t."gender_score", t."orientation", t."action", t."action_score", t."zone"
    FROM "videos" v JOIN "observation_rows" t ON t."run_id" = v."result_run_id";
CREATE VIEW "person_overlaps" AS
    SELECT t."id", v."id" AS "video_id", t."frame_index", t."seconds", t."track_a", t."track_b", t."iou"
    FROM "videos" v JOIN "person_overlap_rows" t ON t."run_id" = v."result_run_id";
CREATE VIEW "action_events" AS
    SELECT t."id", v."id" AS "video_id", t."track", t."type", t."start_seconds", t."duration_seconds",
        t."frame_index", t."x1", t."y1", t."x2", t."y2", t."confidence", t."age", t."age_group", t."gender",
        t."orientation", t."zone", t."text", t."keywords", t."highlight_bucket", t."highlight_key"
    FROM "videos" v JOIN "action_event_rows" t ON t."run_id" = v."result_run_id";
CREATE VIEW "scenes" AS
    SELECT t."id", v."id" AS "video_id", t."seconds", t."frame_index", t."text", t."source"
    FROM "videos" v JOIN "scene_rows" t ON t."run_id" = v."result_run_id";

-- Who might read a table may read the view that has its name now.
DO $$
DECLARE
    "given" RECORD;
BEGIN
    FOR "given" IN
        SELECT p."shown", CASE WHEN a."grantee" = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a."grantee")) END AS "role"
        FROM (VALUES ('person_tracks', 'person_track_rows'), ('observations', 'observation_rows'),
                     ('person_overlaps', 'person_overlap_rows'), ('action_events', 'action_event_rows'),
                     ('scenes', 'scene_rows')) AS p("shown", "stored")
        JOIN pg_class c ON c."relname" = p."stored" AND c."relnamespace" = current_schema()::regnamespace,
        LATERAL aclexplode(c."relacl") a
        WHERE a."privilege_type" = 'SELECT' AND a."grantee" <> c."relowner"
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO %s', "given"."shown", "given"."role");
    END LOOP;
END $$;
