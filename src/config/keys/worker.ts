import { hostname } from 'node:os';

import { httpUrl, integer, matching, oneOf, onOff } from '../forms.ts';
import { defaultWorkDir } from '../default-work-dir.ts';
import { withDefault, withDerived } from '../key.ts';
import { FOLDER } from './shared-forms.ts';

const DAY = 86_400;

export const WORKER_KEYS = {
  id: withDefault(
    'WORKER_ID',
    matching(/^[\w.:-]{1,128}$/, 'text', '1 to 128 letters, digits, _ . : or -'),
    `${hostname().slice(0, 64)}-${process.pid}`,
    { description: 'name of this worker in logs and in the database; host name and process id when absent' },
  ),
  concurrency: withDefault('CONCURRENCY', integer('videos', 1, 16), '2', { description: 'videos at once' }),
  maxProcessingSeconds: withDefault('MAX_PROCESSING_SECONDS', integer('seconds', 1, 43_200), '7200', {
    description: 'limit of one job',
  }),
  drainSeconds: withDefault('DRAIN_SECONDS', integer('seconds', 0, 43_200), '90', {
    description: 'time that running jobs get to finish after SIGTERM',
  }),
  runAliveSeconds: withDefault('RUN_ALIVE_SECONDS', integer('seconds', 10, 3_600), '60', {
    description: 'a run whose worker has not been heard of for so long is taken over; told at a third of it',
  }),
  sweepSeconds: withDefault('SWEEP_SECONDS', integer('seconds', 10, DAY), '300', {
    description: 'from one search for runs whose worker is gone, and videos whose message is gone, to the next',
  }),
  pendingLimitSeconds: withDefault('PENDING_LIMIT_SECONDS', integer('seconds', 60, 365 * DAY), '1209600', {
    description:
      'a video that waits and of which nothing was heard for so long has failed, since no message is left; the retention of the queue',
  }),
  circuitMaxPauseSeconds: withDefault('CIRCUIT_MAX_PAUSE_SECONDS', integer('seconds', 1, 3_600), '300', {
    description: 'longest pause in taking messages while the database or the store is away',
  }),
  startWaitSeconds: withDefault('START_WAIT_SECONDS', integer('seconds', 0, 30 * DAY), String(6 * 3600), {
    description:
      'how long the daemon waits at its start for a database, queue or bucket that cannot be reached; 0 ends it at once',
  }),
  workDir: withDerived('WORK_DIR', FOLDER, defaultWorkDir, {
    description:
      'folder of the worker alone, in which the jobs have their files; when absent, jobs in the CACHE_DIRECTORY or RUNTIME_DIRECTORY that systemd made, else video-worker/jobs in the cache of the user (~/.cache)',
  }),
  workDirParents: withDefault('WORK_DIR_PARENTS', oneOf('checked', 'trusted'), 'checked', {
    description:
      'whether the folders above WORK_DIR must be safe from others; trusted where nobody else can reach them, as the volumes of a pod',
  }),
  hostInterruptionWatch: withDefault('HOST_INTERRUPTION_WATCH', onOff(), 'off', {
    description: 'drain on spot, rebalance and scale-in notices of the EC2 instance',
  }),
  imdsEndpoint: withDefault('IMDS_ENDPOINT', httpUrl(), 'http://169.254.169.254', {
    description: 'instance metadata service',
  }),
} as const;

export const LOG_KEYS = {
  level: withDefault('LOG_LEVEL', oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info', {
    description: 'least severe level that is written',
  }),
  format: withDefault('LOG_FORMAT', oneOf('json', 'pretty'), 'json', {
    description: 'one JSON object or one plain line per entry, on standard error',
  }),
} as const;
