-- What a paid service took for the scene texts of a run; null where none was asked.
ALTER TABLE "analysis_runs" ADD COLUMN "scene_cost" JSONB;
