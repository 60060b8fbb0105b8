import { createHash } from 'node:crypto';

/** One version of one object. */
export interface ObjectIdentity {
  readonly bucket: string;
  /** Decoded. */
  readonly key: string;
  readonly versionId: string | null;
  /** Without quotes. */
  readonly etag: string | null;
}

export interface Sampling {
  readonly framesPerSecond: number;
  readonly attributes: 'per-track' | 'per-frame';
  readonly decode: 'exact' | 'fast';
  readonly stillPictures: 'analyse' | 'reuse';
}

export interface JobFacts extends ObjectIdentity {
  readonly packFingerprint: string;
  readonly sampling: Sampling;
}

/**
 * SHA-256 (hex) of what a job works on: the object in this version, the pack, the sampling. Messages play no part,
 * so two messages about one object are one job.
 */
export function jobIdentity(facts: JobFacts): string {
  return digest([
    'job',
    ...objectParts(facts),
    facts.packFingerprint,
    String(facts.sampling.framesPerSecond),
    facts.sampling.attributes,
    // Before there was a choice, every job was exact and every picture analysed: those are the same jobs still.
    ...(facts.sampling.decode === 'exact' ? [] : [facts.sampling.decode]),
    ...(facts.sampling.stillPictures === 'analyse' ? [] : [facts.sampling.stillPictures]),
  ]);
}

/** The video id where no message gave one: `object-` and 32 hex digits of the object's identity, never read from the key. */
export function derivedVideoId(object: ObjectIdentity): string {
  return `object-${digest(['object', ...objectParts(object)]).slice(0, 32)}`;
}

/** SHA-256 (hex) of an id and the object that its message names, as long as the store has not said what that is. */
export function requestIdentity(object: ObjectIdentity, externalId: string): string {
  return digest(['request', object.bucket, object.key, object.versionId ?? '', object.etag ?? '', externalId]);
}

/**
 * A version names the content for good, so the ETag adds nothing. "null" is what a bucket with suspended versioning
 * calls every upload; there the ETag tells them apart.
 */
function objectParts(object: ObjectIdentity): string[] {
  const versioned = object.versionId !== null && object.versionId !== 'null';
  return [object.bucket, object.key, versioned ? `version:${object.versionId}` : `etag:${object.etag ?? ''}`];
}

/** JSON keeps the parts apart: no key can be built that looks like another bucket and key. */
function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
