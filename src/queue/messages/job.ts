export type JobSource = 'backend' | 's3-event' | 'legacy' | 'command';
export type JobPriority = 'high' | 'normal' | 'low';

/** One object to analyse, whatever form of message asked for it. */
export interface Job {
  readonly bucket: string;
  /** Decoded object key. */
  readonly key: string;
  readonly versionId: string | null;
  /** Without quotes. Null where the message does not say. */
  readonly etag: string | null;
  /** The backend's id. Null where none was given: it is then derived from the object's identity. */
  readonly videoId: string | null;
  /** As the message tells it, for the log: by the time it is read the message has its slot. What comes first is decided by the queues. */
  readonly priority: JobPriority;
  readonly source: JobSource;
}

/** Whether a key is one that consoles, and file systems on S3, give to the mark of a folder: an object without bytes. */
export function isFolderKey(key: string): boolean {
  return key.endsWith('/') || key.endsWith('_$folder$');
}
