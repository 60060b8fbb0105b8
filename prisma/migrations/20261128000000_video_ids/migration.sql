-- What the backend calls a video: several ids may mean one, and an id that is sent again for other content points to the newest.
CREATE TABLE "video_ids" (
    "external_id" TEXT NOT NULL,
    "video_id" UUID,
    "bucket" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "version_id" TEXT,
    "etag" TEXT,
    "message_id" TEXT,
    "earlier_messages" TEXT[],
    "last_receive" BOOLEAN NOT NULL DEFAULT false,
    "worker" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "video_ids_pkey" PRIMARY KEY ("external_id")
);
CREATE INDEX "video_ids_video_id_idx" ON "video_ids"("video_id");
ALTER TABLE "video_ids" ADD CONSTRAINT "video_ids_video_id_fkey"
    FOREIGN KEY ("video_id") REFERENCES "videos"("id") ON DELETE CASCADE ON UPDATE CASCADE;

INSERT INTO "video_ids" ("external_id", "video_id", "bucket", "key", "version_id", "etag", "created_at", "updated_at")
SELECT DISTINCT ON ("external_id") "external_id", "id", "bucket", "key", "version_id", "etag", "created_at", "updated_at"
FROM "videos"
-- Derived from the object, where no message gave an id.
WHERE "external_id" !~ '^object-[0-9a-f]{32}$'
ORDER BY "external_id", "created_at" DESC, "id";

-- What decides about a run whose worker is gone: its message, and whether the queue hands that out again.
ALTER TABLE "analysis_runs" ADD COLUMN "message_id" TEXT;
ALTER TABLE "analysis_runs" ADD COLUMN "receive_count" INTEGER;
ALTER TABLE "analysis_runs" ADD COLUMN "last_receive" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "analysis_runs" ADD COLUMN "lease_seconds" INTEGER;
CREATE INDEX "analysis_runs_message_id_idx" ON "analysis_runs"("message_id");

-- The id that the message named.
ALTER TABLE "error_events" ADD COLUMN "external_id" TEXT;
CREATE INDEX "error_events_external_id_idx" ON "error_events"("external_id");
