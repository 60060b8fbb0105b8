/** What the failure means for the message: try again later, never again, or stop the worker. */
export type FailureClass = 'temporary' | 'permanent' | 'system';

/**
 * Every way a job or the worker can fail. The key is what operators see in logs, in the dead-letter
 * attributes and in the database; a retired code is never reused for something else.
 */
export const FAILURE_CODES = {
  MESSAGE_NOT_JSON: ['permanent', 'the message body is not JSON'],
  MESSAGE_UNKNOWN_SHAPE: ['permanent', 'the message is none of the known forms'],
  MESSAGE_FIELD_MISSING: ['permanent', 'a required field of the message is missing or of the wrong type'],
  MESSAGE_KEY_UNDECODABLE: ['permanent', 'the object key of the message cannot be decoded'],
  MESSAGE_TOO_LARGE: ['permanent', 'the message body is larger than the accepted size'],
  BUCKET_NOT_FOUND: ['permanent', 'the bucket does not exist'],
  OBJECT_NOT_FOUND: ['permanent', 'the object does not exist'],
  OBJECT_FORBIDDEN: ['permanent', 'access to the object is denied'],
  OBJECT_CHANGED: ['permanent', 'the object changed after the message was sent'],
  OBJECT_EMPTY: ['permanent', 'the object has no bytes'],
  OBJECT_TOO_LARGE: ['permanent', 'the object is over the size limit'],
  NOT_A_VIDEO: ['permanent', 'the file is not a video that can be read'],
  NO_VIDEO_STREAM: ['permanent', 'the file has no video stream'],
  VIDEO_TRUNCATED: ['permanent', 'the file ends before its index or its frames'],
  VIDEO_NO_FRAMES: ['permanent', 'no frame could be decoded'],
  VIDEO_NO_DURATION: ['permanent', 'the video has no duration'],
  VIDEO_DIMENSIONS: ['permanent', 'the picture is over the size limit or has no size'],
  VIDEO_FRAME_RATE: ['permanent', 'the frame rate is over the limit'],
  VIDEO_TOO_LONG: ['permanent', 'the video is over the duration or frame limit'],
  VIDEO_TOO_MANY_STREAMS: ['permanent', 'the file has more streams than allowed'],
  VIDEO_FORMAT_FORBIDDEN: [
    'permanent',
    'the container is not on the allow-list (playlists and files that refer to others)',
  ],
  VIDEO_DECODE_FAILED: ['permanent', 'the decoder gave up on the file'],
  VIDEO_DECODE_TIMEOUT: ['permanent', 'the decoder made no progress before its deadline'],
  JOB_DEADLINE: ['permanent', 'the job ran longer than the processing limit'],
  NETWORK: ['temporary', 'a connection failed'],
  TIMEOUT: ['temporary', 'a call took longer than its limit'],
  THROTTLED: ['temporary', 'a service asked to slow down'],
  SERVICE_UNAVAILABLE: ['temporary', 'a service answered with a server error'],
  DATABASE_UNAVAILABLE: ['temporary', 'the database cannot be reached'],
  DATABASE_CONFLICT: ['temporary', 'the transaction lost against another one'],
  RUN_SUPERSEDED: ['temporary', 'another run of the same job holds the fencing token'],
  SCENE_FAILED: ['temporary', 'the scene description could not be made'],
  UNKNOWN: ['temporary', 'an error that no rule knows'],
  GPU_LOST: ['system', 'the GPU does not answer any more'],
  CUDA_ERROR: ['system', 'the CUDA provider reported an error'],
  CUDA_OUT_OF_MEMORY: ['system', 'the GPU is out of memory, also with a batch of one'],
  INFERENCE_FAILED: ['system', 'ONNX Runtime failed to run a model'],
  INFERENCE_THREAD_DIED: ['system', 'the inference thread ended'],
  HOST_OUT_OF_MEMORY: ['system', 'the host is out of memory'],
  DISK_FULL: ['system', 'the disk is full'],
  PACK_BROKEN: ['system', 'the model pack does not match its manifest'],
  FFMPEG_MISSING: ['system', 'ffmpeg or ffprobe cannot be started'],
  DATABASE_NOT_MIGRATED: ['system', 'the database schema is not the one this worker needs'],
  CREDENTIALS: ['system', 'the credentials are missing, expired or refused'],
  CONFIG_INVALID: ['system', 'the configuration is not valid'],
} as const satisfies Record<string, readonly [FailureClass, string]>;

export type FailureCode = keyof typeof FAILURE_CODES;

export interface FailureOptions {
  readonly cause?: unknown;
  /** Small, loggable facts: sizes, limits, the external code. Never credentials, bodies or signed URLs. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** The closed error family of the worker. Anything else that is thrown is turned into one at a single boundary. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly class: FailureClass;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.class = FAILURE_CODES[code][0];
    this.details = options.details ?? {};
  }
}

export type InterruptionKind = 'lease-lost' | 'deadline' | 'shutdown' | 'host-interruption';

/** The reason carried by a job's AbortSignal (`signal.reason`): an interruption is not a failure of the job. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly kind: InterruptionKind;

  constructor(kind: InterruptionKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
