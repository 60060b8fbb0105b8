-- Whether frames were left out that the samples did not need; every run so far decoded all of them.
ALTER TABLE "analysis_runs" ADD COLUMN "decode" TEXT NOT NULL DEFAULT 'exact',
  ADD CONSTRAINT "analysis_runs_decode_check" CHECK ("decode" IN ('exact', 'fast'));
