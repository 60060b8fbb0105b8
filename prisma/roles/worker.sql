-- Two roles with the least rights: one for workers and their commands, which may change no table's form, and one that only reads.
--
--   psql "$OWNER_URL" -v worker=video_worker_app -v reader=video_worker_reader -f prisma/roles/worker.sql
--
-- Run it as the owner of the schema, after each `video-worker db migrate`. A role that is not there is made, which takes CREATEROLE, and has
-- no password until one is set (`\password video_worker_app`). `-v schema=NAME` for another DATABASE_SCHEMA than video_worker. May be run
-- again at any time: it takes away what it does not give, in one transaction that workers do not notice.

\set ON_ERROR_STOP on
\if :{?schema}
\else
    \set schema video_worker
\endif
\if :{?worker}
\else
    \set worker video_worker_app
\endif
\if :{?reader}
\else
    \set reader video_worker_reader
\endif

BEGIN;

-- The path of a role that is made here; the worker itself names the schema in every statement.
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', "name") AS "made",
    format('ALTER ROLE %I IN DATABASE %I SET search_path TO %I', "name", current_database(), :'schema') AS "set"
FROM unnest(ARRAY[:'worker', :'reader']) AS "name"
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE "rolname" = "name")
\gexec

SET LOCAL search_path TO :"schema";
SELECT set_config('video_worker.worker', :'worker', true), set_config('video_worker.reader', :'reader', true) \g /dev/null
-- What is taken away below is what the owner migrates with.
DO $$
DECLARE
    "owner" TEXT;
BEGIN
    SELECT pg_get_userbyid("nspowner") INTO "owner" FROM pg_namespace WHERE "nspname" = current_schema();
    IF "owner" IN (current_setting('video_worker.worker'), current_setting('video_worker.reader')) THEN
        RAISE EXCEPTION 'the role % owns the schema % and would lose its rights: name a role that owns nothing', "owner", current_schema();
    END IF;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA :"schema" FROM :"worker", :"reader";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA :"schema" FROM :"worker", :"reader";
REVOKE ALL ON SCHEMA :"schema" FROM :"worker", :"reader";

GRANT USAGE ON SCHEMA :"schema" TO :"worker", :"reader";

GRANT SELECT ON "_prisma_migrations" TO :"worker";
-- A row that waits for its object goes when that turns out to be known.
GRANT SELECT, INSERT, UPDATE, DELETE ON "videos" TO :"worker";
GRANT SELECT, INSERT, UPDATE ON "video_ids", "analysis_runs" TO :"worker";
-- Findings are written, and deleted while nobody sees them; of what is stored nothing changes but the name of an image.
GRANT SELECT, INSERT, DELETE ON "person_track_rows", "observation_rows", "person_overlap_rows", "action_event_rows", "scene_rows"
    TO :"worker";
GRANT UPDATE ("highlight_bucket", "highlight_key") ON "action_event_rows" TO :"worker";
-- What was recorded stays; only the video that it is about may turn out to be another.
GRANT SELECT, INSERT, UPDATE ("video_id") ON "error_events" TO :"worker";
GRANT USAGE ON SEQUENCE "observations_id_seq", "person_overlaps_id_seq", "action_events_id_seq", "scenes_id_seq", "error_events_id_seq"
    TO :"worker";

-- Of the findings the views alone: they show the rows of the run that counts.
GRANT SELECT ON "videos", "video_ids", "analysis_runs", "error_events", "person_tracks", "observations", "person_overlaps", "action_events",
    "scenes" TO :"reader";

-- Who may not grant is only warned.
DO $$
BEGIN
    IF NOT has_table_privilege(current_setting('video_worker.worker'), 'videos', 'INSERT')
        OR NOT has_table_privilege(current_setting('video_worker.reader'), 'videos', 'SELECT') THEN
        RAISE EXCEPTION 'the rights were not given: run this as the owner of the schema %, not as %', current_schema(), current_user;
    END IF;
    -- Where it was dropped nobody may be asked about it.
    IF EXISTS (SELECT 1 FROM pg_namespace WHERE "nspname" = 'public'
        AND has_schema_privilege(current_setting('video_worker.worker'), "oid", 'CREATE')) THEN
        RAISE WARNING 'everybody may create tables in the schema public: REVOKE CREATE ON SCHEMA public FROM PUBLIC';
    END IF;
END $$;

COMMIT;
