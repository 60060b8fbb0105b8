/** What a failure means for the message: try again later, never again, or stop the worker. */
export type FailureClass = 'temporary' | 'permanent' | 'system';

/**
 * What a job needs. `service`: one that the job did not name. `host`: this machine itself, which errors that no rule knows cast doubt
 * on. The queue is not among them: a poll that fails waits by itself.
 */
export type Dependency = 'storage' | 'database' | 'bedrock' | 'service' | 'host';

/** How long a failed message stays away: the base doubles with each receive, up to the cap. */
interface Wait {
  readonly baseSeconds: number;
  readonly capSeconds: number;
}

interface CodeFacts {
  readonly class: FailureClass;
  /** One phrase for operators. */
  readonly text: string;
  /** Absent: DEFAULT_WAIT. */
  readonly wait?: Wait;
  /**
   * Present: somebody else is away rather than one job unlucky. Either the dependency that only this code tells of, or the one that the
   * stage of the failure calls.
   */
  readonly away?: Dependency | 'called by the stage';
}

export const DEFAULT_WAIT: Wait = { baseSeconds: 15, capSeconds: 900 };

/** Throttling and an absent service need longer than a broken connection. */
const LONG_WAIT: Wait = { baseSeconds: 30, capSeconds: 1_800 };

const CODES = {
  MESSAGE_NOT_JSON: { class: 'permanent', text: 'the message body is not JSON' },
  MESSAGE_UNKNOWN_SHAPE: { class: 'permanent', text: 'the message is none of the known forms' },
  MESSAGE_FIELD_MISSING: {
    class: 'permanent',
    text: 'a required field of the message is missing or of the wrong type',
  },
  MESSAGE_KEY_UNDECODABLE: { class: 'permanent', text: 'the object key of the message cannot be decoded' },
  MESSAGE_TOO_LARGE: { class: 'permanent', text: 'the message body is larger than the accepted size' },
  BUCKET_NOT_FOUND: { class: 'permanent', text: 'the bucket does not exist' },
  OBJECT_NOT_FOUND: { class: 'permanent', text: 'the object does not exist' },
  OBJECT_FORBIDDEN: { class: 'permanent', text: 'access to the object is denied' },
  OBJECT_CHANGED: { class: 'permanent', text: 'the object changed after the message was sent' },
  OBJECT_EMPTY: { class: 'permanent', text: 'the object has no bytes' },
  OBJECT_TOO_LARGE: { class: 'permanent', text: 'the object is over the size limit' },
  OBJECT_ARCHIVED: {
    class: 'permanent',
    text: 'the object is in an archive and must be restored before it can be read',
  },
  OBJECT_ENCRYPTED: {
    class: 'permanent',
    text: 'the object can only be read with a key that its uploader holds (SSE-C)',
  },
  NOT_A_VIDEO: { class: 'permanent', text: 'the file is not a video that can be read' },
  NO_VIDEO_STREAM: { class: 'permanent', text: 'the file has no video stream' },
  VIDEO_TRUNCATED: { class: 'permanent', text: 'the file ends before its index or its frames' },
  VIDEO_NO_FRAMES: { class: 'permanent', text: 'no frame could be decoded' },
  VIDEO_DIMENSIONS: { class: 'permanent', text: 'the picture is over the size limit or has no size' },
  VIDEO_FRAME_RATE: { class: 'permanent', text: 'the frame rate is over the limit' },
  VIDEO_TOO_LONG: { class: 'permanent', text: 'the video is over the duration or frame limit' },
  VIDEO_TOO_MANY_STREAMS: { class: 'permanent', text: 'the file has more streams than allowed' },
  VIDEO_FORMAT_FORBIDDEN: {
    class: 'permanent',
    text: 'the container is not on the allow-list (playlists and files that refer to others)',
  },
  VIDEO_DECODE_FAILED: { class: 'permanent', text: 'the decoder gave up on the file' },
  VIDEO_DECODE_TIMEOUT: { class: 'permanent', text: 'the decoder made no progress before its deadline' },
  RESULT_TOO_LARGE: { class: 'permanent', text: 'the findings have more rows than may be stored' },
  CONSTRAINT_BROKEN: { class: 'permanent', text: 'a value of the findings breaks a rule of the database' },
  JOB_DEADLINE: { class: 'permanent', text: 'the job ran longer than the processing limit' },
  NETWORK: { class: 'temporary', text: 'a connection failed', away: 'called by the stage' },
  TIMEOUT: { class: 'temporary', text: 'a call took longer than its limit', away: 'called by the stage' },
  THROTTLED: {
    class: 'temporary',
    text: 'a service asked to slow down',
    wait: LONG_WAIT,
    away: 'called by the stage',
  },
  SERVICE_UNAVAILABLE: {
    class: 'temporary',
    text: 'a service answered with a server error',
    wait: LONG_WAIT,
    away: 'called by the stage',
  },
  DATABASE_UNAVAILABLE: {
    class: 'temporary',
    text: 'the database cannot be reached',
    wait: { baseSeconds: 30, capSeconds: 900 },
    away: 'database',
  },
  DATABASE_CONFLICT: {
    class: 'temporary',
    text: 'the transaction lost against another one',
    wait: { baseSeconds: 5, capSeconds: 120 },
  },
  RUN_SUPERSEDED: {
    class: 'temporary',
    text: 'another run of the same job holds the fencing token',
    wait: { baseSeconds: 60, capSeconds: 900 },
  },
  STORE_MISCONFIGURED: {
    class: 'temporary',
    text: 'the store cannot be asked in this way: check region, endpoint and path style',
    wait: LONG_WAIT,
    away: 'called by the stage',
  },
  KMS_REFUSED: {
    class: 'temporary',
    text: 'the key of an encrypted object or queue is disabled, missing or refused',
    wait: LONG_WAIT,
    away: 'called by the stage',
  },
  WORK_DIR_SPACE: { class: 'temporary', text: 'the work folder has no room for this object now' },
  DECODER_INTERRUPTED: {
    class: 'temporary',
    text: 'ffmpeg or ffprobe ended, or stood still, without a word about the file',
    away: 'host',
  },
  READER_THREAD_DIED: { class: 'temporary', text: 'a thread that reads decoded frames ended', away: 'host' },
  WORKER_LOST: { class: 'temporary', text: 'the worker of the run gave no sign of life any more' },
  INTERRUPTED: { class: 'temporary', text: "the worker was stopped at the message's last receive" },
  SCENE_FAILED: { class: 'temporary', text: 'the scene description could not be made' },
  UNKNOWN: { class: 'temporary', text: 'an error that no rule knows', away: 'host' },
  GPU_LOST: { class: 'system', text: 'the GPU does not answer any more' },
  CUDA_ERROR: { class: 'system', text: 'the CUDA provider reported an error' },
  CUDA_OUT_OF_MEMORY: { class: 'system', text: 'the GPU is out of memory, also with a batch of one' },
  INFERENCE_FAILED: { class: 'system', text: 'ONNX Runtime failed to run a model' },
  INFERENCE_THREAD_DIED: { class: 'system', text: 'the inference thread ended' },
  HOST_OUT_OF_MEMORY: { class: 'system', text: 'the host is out of memory' },
  DISK_FULL: { class: 'system', text: 'the disk is full' },
  HOST_FAULT: { class: 'system', text: 'the disk, the permissions or the descriptors of this host fail' },
  HOST_IN_DOUBT: { class: 'system', text: 'errors that no rule knows end one job after another on this host' },
  PACK_BROKEN: { class: 'system', text: 'the model pack does not match its manifest' },
  FFMPEG_MISSING: { class: 'system', text: 'ffmpeg or ffprobe cannot be started' },
  TOOL_BROKEN: {
    class: 'system',
    text: 'ffmpeg or ffprobe was ended from outside, lacks a library, or fails on the built-in clip',
  },
  OUTPUT_REFUSED: { class: 'system', text: 'the bucket of the highlight images does not take them' },
  DATABASE_NOT_MIGRATED: { class: 'system', text: 'the database schema is not the one this worker needs' },
  CREDENTIALS: { class: 'system', text: 'the credentials are missing, expired or refused' },
  ACCOUNT_PROBLEM: { class: 'system', text: 'the AWS account is suspended, or not signed up for the service' },
  CLOCK_SKEWED: { class: 'system', text: 'the clock of this host is wrong' },
  CERTIFICATE: { class: 'system', text: 'a TLS certificate is not trusted, has expired or names another host' },
  QUEUE_NOT_FOUND: { class: 'system', text: 'the queue does not exist' },
  INSTALL_BROKEN: { class: 'system', text: 'a file or a package of the worker itself cannot be loaded' },
  CONFIG_INVALID: { class: 'system', text: 'the configuration is not valid' },
} as const satisfies Record<string, CodeFacts>;

export type FailureCode = keyof typeof CODES;

/**
 * Every way a job or the worker can fail. The key is what operators see in logs, in the dead-letter
 * attributes and in the database; a retired code is never reused for something else.
 */
export const FAILURE_CODES: Readonly<Record<FailureCode, CodeFacts>> = CODES;
