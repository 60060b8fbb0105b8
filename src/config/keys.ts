import { hostname } from 'node:os';

import {
  databaseUrl,
  decimal,
  httpUrl,
  integer,
  integerOrAuto,
  labels,
  matching,
  oneOf,
  oneOfNumbersOrAuto,
  onOff,
  text,
} from './forms.ts';
import { optional, withDefault } from './key.ts';

const DAY = 86_400;
const BUCKET = matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'bucket', 'a bucket name: 3 to 63 of a-z, 0-9, . and -');
const QUEUE = httpUrl();
const FOLDER = text('folder', 'a path on one line');
const FILE = text('file', 'a path on one line');
const REGION = matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'region', 'an AWS region such as ap-northeast-2');

/** Of one video: what `FRAMES_IN_FLIGHT` takes. */
export const MOST_FRAMES_IN_FLIGHT = 64;

/** Every environment variable of the program, by part. Parsing, `.env.example` and the table in the documentation all come from here. */
export const KEYS = {
  aws: {
    region: withDefault('AWS_REGION', REGION, 'ap-northeast-2', {
      description: 'region of the queues and buckets; credentials come from the usual AWS chain',
    }),
    endpointUrl: optional('AWS_ENDPOINT_URL', httpUrl(), {
      description: 'another endpoint for SQS and S3, such as LocalStack',
      example: 'http://localhost:4566',
    }),
    s3ForcePathStyle: withDefault('S3_FORCE_PATH_STYLE', onOff(), 'off', {
      description: 'bucket in the path instead of the host name; local emulators need it',
      example: 'on',
    }),
  },
  queue: {
    url: optional('SQS_QUEUE_URL', QUEUE, {
      neededBy: ['queue'],
      description: 'queue of the upload messages',
      example: 'http://localhost:4566/000000000000/video-upload',
    }),
    urlHigh: optional('SQS_QUEUE_URL_HIGH', QUEUE, { description: 'queue that is asked more often' }),
    urlLow: optional('SQS_QUEUE_URL_LOW', QUEUE, { description: 'queue that is asked less often' }),
    weightHigh: withDefault('SQS_WEIGHT_HIGH', integer('share', 1, 100), '6', {
      description: 'share of the polls that go to the high queue',
    }),
    weightNormal: withDefault('SQS_WEIGHT_NORMAL', integer('share', 1, 100), '3', {
      description: 'share of the polls that go to SQS_QUEUE_URL',
    }),
    weightLow: withDefault('SQS_WEIGHT_LOW', integer('share', 1, 100), '1', {
      description: 'share of the polls that go to the low queue',
    }),
    deadLetterUrl: optional('SQS_DLQ_URL', QUEUE, {
      description:
        "queue of the messages that can never succeed, with the reason; the one of the queue's redrive policy when absent",
      example: 'http://localhost:4566/000000000000/video-upload-dlq',
    }),
    waitSeconds: withDefault('SQS_WAIT_SECONDS', integer('seconds', 0, 20), '20', {
      description: 'length of a long poll',
    }),
    visibilityTimeoutSeconds: withDefault('VISIBILITY_TIMEOUT_SECONDS', integer('seconds', 10, 43_200), '300', {
      description: 'lease on a message; renewed at a third of it',
    }),
    maxWaiting: withDefault('MAX_WAITING_MESSAGES', integer('messages', 0, 10_000), '100', {
      description:
        'messages that may wait under their leases at once, for another run of their object or for what is away; others go back',
    }),
    maxRetryDelaySeconds: withDefault('MAX_RETRY_DELAY_SECONDS', integer('seconds', 1, 43_200), '1800', {
      description:
        'longest time until a message that failed for now is tried again, given back or waiting under its lease',
    }),
  },
  worker: {
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
    workDir: withDefault('WORK_DIR', FOLDER, '/tmp/video-worker', {
      description: 'private workspaces of the jobs: downloaded videos',
    }),
    healthPort: withDefault('HEALTH_PORT', integer('port', 0, 65_535), '0', {
      description: 'port of the health endpoints; 0 is off',
    }),
    hostInterruptionWatch: withDefault('HOST_INTERRUPTION_WATCH', onOff(), 'off', {
      description: 'drain on spot, rebalance and scale-in notices of the EC2 instance',
    }),
    imdsEndpoint: withDefault('IMDS_ENDPOINT', httpUrl(), 'http://169.254.169.254', {
      description: 'instance metadata service',
    }),
  },
  database: {
    url: optional('DATABASE_URL', databaseUrl(), {
      neededBy: ['database'],
      description: 'database of the findings',
      example: 'postgres://video:video@localhost:5432/video',
    }),
    schema: withDefault(
      'DATABASE_SCHEMA',
      matching(
        /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/,
        'name',
        '1 to 63 of a-z, 0-9 and _, not beginning with a digit or pg_',
      ),
      'video_worker',
      { description: 'Postgres schema of the tables' },
    ),
    poolSize: withDefault('DATABASE_POOL_SIZE', integer('connections', 1, 100), '5', {
      description: 'connections at once',
    }),
    migrateOnStart: withDefault('MIGRATE_ON_START', onOff(), 'off', {
      description: 'bring the schema up to date when the daemon starts',
      example: 'on',
    }),
  },
  inference: {
    modelPack: optional('MODEL_PACK', FOLDER, {
      neededBy: ['models'],
      description: 'folder of the model pack',
      example: 'models/demo',
    }),
    device: withDefault('DEVICE', oneOf('cuda', 'cpu', 'auto'), 'cuda', {
      description: 'where models run; auto takes the CPU where no GPU is, and says so',
    }),
    gpuDeviceId: withDefault('GPU_DEVICE_ID', integer('number', 0, 63), '0', { description: 'CUDA device number' }),
    pipelines: withDefault('PIPELINES', integerOrAuto('pipelines', 1, 64), 'auto', {
      description:
        'sets of model threads, each with models of its own; auto is one on CUDA, and on the CPU one for two cores, at most 8, as far as the memory goes',
    }),
    cpuThreads: withDefault('CPU_THREADS', integerOrAuto('threads', 0, 512), 'auto', {
      description:
        'threads of one operator on the CPU; 0 is every core, auto is one, and more only where cores are left over',
    }),
    detectionBatch: withDefault('DETECTION_BATCH_SIZE', oneOfNumbersOrAuto('frames', 1, 2, 4, 8, 16), 'auto', {
      description: 'most frames in a run of detection; auto is 1 on the CPU and 8 on CUDA',
    }),
    peopleBatch: withDefault('PEOPLE_BATCH_SIZE', oneOfNumbersOrAuto('people', 1, 2, 4, 8, 16, 32, 64), 'auto', {
      description: 'most people in a run of age and gender, or of orientation; auto is 1 on the CPU and 64 on CUDA',
    }),
    languageBatch: withDefault('LANGUAGE_BATCH_SIZE', oneOfNumbersOrAuto('people', 1, 2, 4, 8, 16), 'auto', {
      description: 'most people in a run of the action model; auto is 1 on the CPU and 8 on CUDA',
    }),
    framesInFlight: withDefault('FRAMES_IN_FLIGHT', integerOrAuto('frames', 1, MOST_FRAMES_IN_FLIGHT), 'auto', {
      description:
        'frames of one video between decoding and result, each with its pixels in memory; auto is 4 and more where several pipelines wait for them, on CUDA 32 for each pipeline, shared by the videos at once, as far as a quarter of the memory holds them',
    }),
  },
  analysis: {
    sampleFps: withDefault('SAMPLE_FPS', decimal('frames per second', 0.01, 60), '1.5', {
      description: 'sampled frames per second of footage',
    }),
    attributes: withDefault('ATTRIBUTES', oneOf('per-track', 'per-frame'), 'per-track', {
      description:
        'age and gender from the best crops of a person and the action at an interval, or all of them in every sampled frame',
    }),
    actionEverySeconds: withDefault('ACTION_EVERY_SECONDS', decimal('seconds', 0, 60), '2', {
      description:
        'footage between two action readings of a person who does not change; 0 reads in every sampled frame, as per-frame does',
    }),
    actionEverySamples: optional('ACTION_EVERY_SAMPLES', integer('samples', 1, 1000), {
      description: 'the same in sampled frames, instead of the seconds; per-frame goes by it, too',
    }),
    stillPictures: withDefault('STILL_PICTURES', oneOf('analyse', 'reuse'), 'analyse', {
      description:
        'what becomes of a sampled picture that has not changed: it is analysed, or shows what the last analysed one did, for at most 10 s',
    }),
    zonesFile: optional('ZONES_FILE', FILE, {
      description: 'zones of the camera (JSON); left, centre and right thirds when absent',
    }),
    highlightActions: withDefault('HIGHLIGHT_ACTIONS', labels(), 'collapse,falling,theft,violent,grabbing,anomaly', {
      description: 'actions whose first frame is kept as an image',
    }),
    highlightsBucket: optional('HIGHLIGHTS_BUCKET', BUCKET, {
      description: 'bucket of the highlight images; needed by the daemon unless HIGHLIGHT_ACTIONS is off',
      example: 'video-highlights',
    }),
    highlightsFailure: withDefault('HIGHLIGHTS_FAILURE', oneOf('degrade', 'fail'), 'degrade', {
      description: 'go on without an image that its bucket does not take, or fail the job',
    }),
  },
  scene: {
    source: withDefault('SCENE', oneOf('off', 'local', 'bedrock'), 'local', {
      description: 'who writes the scene texts',
    }),
    everySamples: withDefault('SCENE_EVERY_SAMPLES', integer('samples', 1, 100_000), '10', {
      description: 'sampled frames between two scene texts',
    }),
    failure: withDefault('SCENE_FAILURE', oneOf('degrade', 'fail'), 'degrade', {
      description: 'go on without a scene text that cannot be made, or fail the video',
    }),
    bedrockModelId: withDefault('BEDROCK_MODEL_ID', text('model id'), 'anthropic.claude-3-haiku-20240307-v1:0', {
      description: 'model on Amazon Bedrock',
    }),
    bedrockRegion: optional('BEDROCK_REGION', REGION, {
      description: 'region of Amazon Bedrock; AWS_REGION when absent',
    }),
    bedrockEndpointUrl: optional('BEDROCK_ENDPOINT_URL', httpUrl(), {
      description: 'another endpoint for Amazon Bedrock',
    }),
    bedrockMaxCallsPerVideo: withDefault('BEDROCK_MAX_CALLS_PER_VIDEO', integer('calls', 1, 100_000), '200', {
      description: 'paid calls of one video, retries included',
    }),
  },
  limits: {
    maxObjectBytes: withDefault('MAX_OBJECT_BYTES', integer('bytes', 1, 5 * 1024 ** 4), String(20 * 1024 ** 3), {
      description: 'largest video file',
    }),
    maxVideoSeconds: withDefault('MAX_VIDEO_SECONDS', integer('seconds', 1, 30 * DAY), String(6 * 3600), {
      description: 'longest video',
    }),
    maxVideoPixels: withDefault('MAX_VIDEO_PIXELS', integer('pixels', 1, 268_435_456), '33177600', {
      description: 'largest picture, width times height (default: 7680 x 4320)',
    }),
    maxFrameRate: withDefault('MAX_FRAME_RATE', integer('frames per second', 1, 10_000), '240', {
      description: 'highest frame rate',
    }),
    maxStreams: withDefault('MAX_STREAMS', integer('streams', 1, 1000), '16', {
      description: 'most streams in a file',
    }),
    maxResultRows: withDefault('MAX_RESULT_ROWS', integer('rows', 1, 100_000_000), '2000000', {
      description: 'most rows of one result: boxes, overlaps, persons, events and scene texts',
    }),
    decodeStallSeconds: withDefault('DECODE_STALL_SECONDS', integer('seconds', 1, 3600), '60', {
      description: 'a decoder that makes no progress for so long is stopped',
    }),
  },
  decode: {
    mode: withDefault('DECODE', oneOf('exact', 'fast'), 'exact', {
      description:
        'decode every frame, or leave out what the samples do not need: a third to two fifths less processor time, and a sample may be a later frame of its interval',
    }),
    device: withDefault('DECODE_DEVICE', oneOf('cpu', 'cuda', 'auto'), 'cpu', {
      description:
        'what decodes: the processor, or the video decoder of the GPU GPU_DEVICE_ID; auto takes the GPU where the preflight sees it work',
    }),
    threads: withDefault('DECODER_THREADS', integerOrAuto('threads', 1, 64), 'auto', {
      description:
        'threads of the decoder of one video; auto shares the cores among the videos at once, half of them where the models run on the CPU, at most 16 each',
    }),
    frameThreads: withDefault('FRAME_THREADS', oneOf('on', 'off', 'auto'), 'auto', {
      description: 'longer videos are read on a thread each; auto: on CUDA with CONCURRENCY above 1; on: all videos',
    }),
  },
  ffmpeg: {
    ffmpegPath: optional('FFMPEG_PATH', FILE, {
      description: 'ffmpeg; searched in PATH and in the package ffmpeg-static when absent',
    }),
    ffprobePath: optional('FFPROBE_PATH', FILE, { description: 'ffprobe; searched like ffmpeg when absent' }),
  },
  log: {
    level: withDefault('LOG_LEVEL', oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info', {
      description: 'least severe level that is written',
    }),
    format: withDefault('LOG_FORMAT', oneOf('json', 'pretty'), 'json', {
      description: 'one JSON object or one plain line per entry, on standard error',
    }),
  },
  object: {
    bucket: optional('S3_BUCKET', BUCKET, {
      neededBy: ['object'],
      description: 'for `video-worker once`: bucket of the one object',
    }),
    key: optional('S3_KEY', text('key', 'an object key on one line'), {
      neededBy: ['object'],
      description: 'for `video-worker once`: key of the one object',
    }),
    versionId: optional('S3_VERSION_ID', text('version id'), {
      description: 'for `video-worker once`: version of the object',
    }),
    videoId: optional('VIDEO_ID', text('id'), {
      description: "for `video-worker once`: the backend's id of the video; derived from the object when absent",
    }),
  },
} as const;
