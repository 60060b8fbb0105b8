-- One object analysed with one pack and one sampling.
CREATE TABLE "videos" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "identity" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "bucket" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "version_id" TEXT,
    "etag" TEXT,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "progress" SMALLINT NOT NULL DEFAULT 0,
    "stage" TEXT,
    "failure_code" TEXT,
    "fencing_token" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "width" INTEGER,
    "height" INTEGER,
    "frame_rate" DOUBLE PRECISION,
    "duration_seconds" DOUBLE PRECISION,
    "codec" TEXT,
    "container" TEXT,
    "size_bytes" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "videos_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "videos_identity_check" CHECK ("identity" ~ '^[0-9a-f]{64}$'),
    CONSTRAINT "videos_status_check" CHECK ("status" IN ('pending', 'processing', 'completed', 'failed')),
    CONSTRAINT "videos_progress_check" CHECK ("progress" BETWEEN 0 AND 100),
    CONSTRAINT "videos_completed_check" CHECK (("status" = 'completed') = ("progress" = 100)),
    CONSTRAINT "videos_attempts_check" CHECK ("attempts" BETWEEN 0 AND "fencing_token")
);

CREATE TABLE "analysis_runs" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "video_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "fencing_token" INTEGER NOT NULL,
    "worker" TEXT NOT NULL,
    "pack_name" TEXT NOT NULL,
    "pack_fingerprint" TEXT NOT NULL,
    "device" TEXT,
    "frames_per_second" DOUBLE PRECISION NOT NULL,
    "attributes" TEXT NOT NULL,
    "frames" INTEGER,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),
    "alive_until" TIMESTAMPTZ(3) NOT NULL,
    "outcome" TEXT NOT NULL DEFAULT 'running',
    "failure_code" TEXT,
    "failure_class" TEXT,
    "failure_reason" TEXT,
    "timings" JSONB,
    "degraded" JSONB,

    CONSTRAINT "analysis_runs_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "analysis_runs_attempt_check" CHECK ("attempt" >= 1 AND "fencing_token" >= 1),
    CONSTRAINT "analysis_runs_device_check" CHECK ("device" IN ('cpu', 'cuda')),
    CONSTRAINT "analysis_runs_attributes_check" CHECK ("attributes" IN ('per-track', 'per-frame')),
    CONSTRAINT "analysis_runs_outcome_check"
        CHECK ("outcome" IN ('running', 'completed', 'failed', 'interrupted', 'superseded')),
    CONSTRAINT "analysis_runs_finished_check" CHECK (("outcome" = 'running') = ("finished_at" IS NULL)),
    CONSTRAINT "analysis_runs_failure_check" CHECK (("outcome" = 'failed') = ("failure_code" IS NOT NULL)),
    CONSTRAINT "analysis_runs_failure_class_check" CHECK ("failure_class" IN ('temporary', 'permanent', 'system'))
);

CREATE TABLE "person_tracks" (
    "video_id" UUID NOT NULL,
    "track" INTEGER NOT NULL,
    "start_seconds" DOUBLE PRECISION NOT NULL,
    "end_seconds" DOUBLE PRECISION NOT NULL,
    "observations" INTEGER NOT NULL,
    "age" DOUBLE PRECISION,
    "age_group" TEXT,
    "gender" TEXT,
    "gender_score" DOUBLE PRECISION,
    "main_action" TEXT,

    CONSTRAINT "person_tracks_pkey" PRIMARY KEY ("video_id", "track"),
    CONSTRAINT "person_tracks_span_check" CHECK ("end_seconds" >= "start_seconds"),
    CONSTRAINT "person_tracks_age_group_check" CHECK ("age_group" IN ('young', 'middle', 'old')),
    CONSTRAINT "person_tracks_gender_check" CHECK ("gender" IN ('male', 'female'))
);

CREATE TABLE "observations" (
    "id" BIGSERIAL NOT NULL,
    "video_id" UUID NOT NULL,
    "frame_index" INTEGER NOT NULL,
    "seconds" DOUBLE PRECISION NOT NULL,
    "track" INTEGER,
    "class" TEXT NOT NULL,
    "x1" DOUBLE PRECISION NOT NULL,
    "y1" DOUBLE PRECISION NOT NULL,
    "x2" DOUBLE PRECISION NOT NULL,
    "y2" DOUBLE PRECISION NOT NULL,
    "score" DOUBLE PRECISION NOT NULL,
    "face_x1" DOUBLE PRECISION,
    "face_y1" DOUBLE PRECISION,
    "face_x2" DOUBLE PRECISION,
    "face_y2" DOUBLE PRECISION,
    "age" DOUBLE PRECISION,
    "age_group" TEXT,
    "gender" TEXT,
    "gender_score" DOUBLE PRECISION,
    "orientation" SMALLINT,
    "action" TEXT,
    "action_score" DOUBLE PRECISION,
    "zone" TEXT,

    CONSTRAINT "observations_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "observations_class_check" CHECK ("class" IN ('person', 'face')),
    CONSTRAINT "observations_box_check" CHECK ("x2" >= "x1" AND "y2" >= "y1"),
    CONSTRAINT "observations_face_check"
        CHECK (num_nulls("face_x1", "face_y1", "face_x2", "face_y2") IN (0, 4)),
    CONSTRAINT "observations_age_group_check" CHECK ("age_group" IN ('young', 'middle', 'old')),
    CONSTRAINT "observations_gender_check" CHECK ("gender" IN ('male', 'female')),
    CONSTRAINT "observations_orientation_check" CHECK ("orientation" BETWEEN 0 AND 359)
);

CREATE TABLE "person_overlaps" (
    "id" BIGSERIAL NOT NULL,
    "video_id" UUID NOT NULL,
    "frame_index" INTEGER NOT NULL,
    "seconds" DOUBLE PRECISION NOT NULL,
    "track_a" INTEGER NOT NULL,
    "track_b" INTEGER NOT NULL,
    "iou" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "person_overlaps_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "action_events" (
    "id" BIGSERIAL NOT NULL,
    "video_id" UUID NOT NULL,
    "track" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "start_seconds" DOUBLE PRECISION NOT NULL,
    "duration_seconds" DOUBLE PRECISION NOT NULL,
    "frame_index" INTEGER NOT NULL,
    "x1" DOUBLE PRECISION NOT NULL,
    "y1" DOUBLE PRECISION NOT NULL,
    "x2" DOUBLE PRECISION NOT NULL,
    "y2" DOUBLE PRECISION NOT NULL,
    "confidence" DOUBLE PRECISION NOT NULL,
    "age" DOUBLE PRECISION,
    "age_group" TEXT,
    "gender" TEXT,
    "orientation" SMALLINT,
    "zone" TEXT,
    "text" TEXT NOT NULL,
    "keywords" TEXT[],
    "highlight_bucket" TEXT,
    "highlight_key" TEXT,

    CONSTRAINT "action_events_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "action_events_duration_check" CHECK ("duration_seconds" >= 0),
    CONSTRAINT "action_events_age_group_check" CHECK ("age_group" IN ('young', 'middle', 'old')),
    CONSTRAINT "action_events_gender_check" CHECK ("gender" IN ('male', 'female')),
    CONSTRAINT "action_events_orientation_check" CHECK ("orientation" BETWEEN 0 AND 359),
    CONSTRAINT "action_events_highlight_check" CHECK (num_nulls("highlight_bucket", "highlight_key") IN (0, 2))
);

CREATE TABLE "scenes" (
    "id" BIGSERIAL NOT NULL,
    "video_id" UUID NOT NULL,
    "seconds" DOUBLE PRECISION NOT NULL,
    "frame_index" INTEGER NOT NULL,
    "text" TEXT NOT NULL,
    "source" TEXT NOT NULL,

    CONSTRAINT "scenes_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "scenes_source_check" CHECK ("source" IN ('local', 'bedrock'))
);

CREATE TABLE "error_events" (
    "id" BIGSERIAL NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "video_id" UUID,
    "run_id" UUID,
    "message_id" TEXT,
    "bucket" TEXT,
    "key" TEXT,
    "worker" TEXT,
    "stage" TEXT,
    "code" TEXT NOT NULL,
    "class" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "details" JSONB NOT NULL DEFAULT '{}',
    "excerpt" TEXT,

    CONSTRAINT "error_events_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "error_events_class_check" CHECK ("class" IN ('temporary', 'permanent', 'system'))
);

CREATE UNIQUE INDEX "videos_identity_key" ON "videos"("identity");
CREATE INDEX "videos_external_id_idx" ON "videos"("external_id");
CREATE INDEX "videos_status_created_at_idx" ON "videos"("status", "created_at");
CREATE INDEX "videos_bucket_key_idx" ON "videos"("bucket", "key");
CREATE UNIQUE INDEX "analysis_runs_video_id_fencing_token_key" ON "analysis_runs"("video_id", "fencing_token");
CREATE INDEX "analysis_runs_outcome_alive_until_idx" ON "analysis_runs"("outcome", "alive_until");
CREATE INDEX "observations_video_id_frame_index_idx" ON "observations"("video_id", "frame_index");
CREATE INDEX "observations_video_id_track_idx" ON "observations"("video_id", "track");
CREATE INDEX "person_overlaps_video_id_frame_index_idx" ON "person_overlaps"("video_id", "frame_index");
CREATE INDEX "action_events_video_id_start_seconds_idx" ON "action_events"("video_id", "start_seconds");
CREATE INDEX "action_events_type_idx" ON "action_events"("type");
CREATE INDEX "action_events_keywords_idx" ON "action_events" USING GIN ("keywords");
CREATE INDEX "scenes_video_id_seconds_idx" ON "scenes"("video_id", "seconds");
CREATE INDEX "error_events_occurred_at_idx" ON "error_events"("occurred_at");
CREATE INDEX "error_events_code_occurred_at_idx" ON "error_events"("code", "occurred_at");
CREATE INDEX "error_events_video_id_idx" ON "error_events"("video_id");
CREATE INDEX "error_events_run_id_idx" ON "error_events"("run_id");

-- At most one run of a video is under way, whatever the code believes. Prisma's schema cannot say this.
CREATE UNIQUE INDEX "analysis_runs_one_running_key" ON "analysis_runs"("video_id") WHERE "outcome" = 'running';

ALTER TABLE "analysis_runs" ADD CONSTRAINT "analysis_runs_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "person_tracks" ADD CONSTRAINT "person_tracks_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "observations" ADD CONSTRAINT "observations_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "observations" ADD CONSTRAINT "observations_video_id_track_fkey"
    FOREIGN KEY ("video_id", "track") REFERENCES "person_tracks"("video_id", "track") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "person_overlaps" ADD CONSTRAINT "person_overlaps_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "action_events" ADD CONSTRAINT "action_events_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "action_events" ADD CONSTRAINT "action_events_video_id_track_fkey"
    FOREIGN KEY ("video_id", "track") REFERENCES "person_tracks"("video_id", "track") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "scenes" ADD CONSTRAINT "scenes_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "error_events" ADD CONSTRAINT "error_events_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "error_events" ADD CONSTRAINT "error_events_run_id_fkey"
    FOREIGN KEY ("run_id") REFERENCES "analysis_runs"("id") ON DELETE SET NULL ON UPDATE CASCADE;
