import { ANALYSIS_KEYS, SCENE_KEYS } from './keys/analysis.ts';
import { AWS_KEYS, QUEUE_KEYS } from './keys/connections.ts';
import { DATABASE_KEYS } from './keys/database.ts';
import { HEALTH_KEYS } from './keys/health.ts';
import { INFERENCE_KEYS } from './keys/inference.ts';
import { OBJECT_KEYS } from './keys/object.ts';
import { LIMITS_KEYS, DECODE_KEYS, FFMPEG_KEYS } from './keys/video.ts';
import { WORKER_KEYS, LOG_KEYS } from './keys/worker.ts';

/** Every environment variable of the program, by part. Parsing, `.env.example` and the table in the documentation all come from here. */
export const KEYS = {
  aws: AWS_KEYS,
  queue: QUEUE_KEYS,
  worker: WORKER_KEYS,
  health: HEALTH_KEYS,
  database: DATABASE_KEYS,
  inference: INFERENCE_KEYS,
  analysis: ANALYSIS_KEYS,
  scene: SCENE_KEYS,
  limits: LIMITS_KEYS,
  decode: DECODE_KEYS,
  ffmpeg: FFMPEG_KEYS,
  log: LOG_KEYS,
  object: OBJECT_KEYS,
} as const;
