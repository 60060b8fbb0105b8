import { derivedVideoId } from '../../src/persistence/identity.ts';
import { burntText, type ExplainedReceives } from './burnt-receives.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { ErrorRow, IdState, RecordedFailure, VideoState } from './ledger.ts';
import { differences, type ResultSet } from './result-set.ts';
import type { BadMessage, Content, Workload } from './workload.ts';

export interface Evidence {
  /** Of the videos. */
  readonly bucket: string;
  readonly workload: Pick<Workload, 'good' | 'bad' | 'ids'>;
  /** What a clip comes to when nothing goes wrong, by clip name. */
  readonly expected: ReadonlyMap<string, ResultSet>;
  readonly videos: readonly VideoState[];
  readonly ids: readonly IdState[];
  readonly errors: readonly ErrorRow[];
  readonly deadLetters: readonly DeadLetter[];
  /** Keys in the bucket of the highlight images. */
  readonly highlights: readonly string[];
  readonly receives: Pick<ExplainedReceives, 'burnt'>;
}

/** Sentences about what is wrong, by kind. */
export interface Findings {
  /** Good videos without their complete result, and bad messages that are not in the dead-letter queue with their reason. */
  readonly lost: string[];
  /** Videos with more than one completed run or row, or with rows that an undisturbed run would not write. */
  readonly doubled: string[];
  /** Ids of the backend that are not known, or mean something else than the messages with them said. */
  readonly unknownIds: string[];
  /** Receives that were used up and that nothing explains, where they are more than evidence with gaps can account for. */
  readonly burnt: string[];
  /** Messages that the queue itself moved after too many receives, and good ones that were rejected. */
  readonly stray: string[];
  /** Bad messages of which the database says nothing, or something else than the dead-letter queue. */
  readonly unrecorded: string[];
  /** Images that a row names and the bucket lacks, and images that no row names. */
  readonly images: string[];
}

/**
 * The aim is none. What may remain are receives that the evidence misses: a message that was taken and deleted between two looks at the
 * queue, or a worker that ended before its line about a message was written.
 */
const UNEXPLAINED_SHARE = 0.01;

/** Compares what was sent with what is in the database, the dead-letter queue and the bucket. */
export function audit(evidence: Evidence): Findings {
  const findings: Findings = {
    lost: [],
    doubled: [],
    unknownIds: [],
    burnt: [],
    stray: [],
    unrecorded: [],
    images: [],
  };
  const states = Map.groupBy(evidence.videos, ({ key }) => key);
  for (const [key, contents] of evidence.workload.good) {
    auditGood(key, contents, states.get(key) ?? [], evidence.expected, findings);
  }
  auditIds(evidence, findings);
  auditReceives(evidence, findings);
  const letters = Map.groupBy(evidence.deadLetters, ({ messageId }) => messageId);
  for (const bad of evidence.workload.bad.values()) auditBad(bad, letters.get(bad.messageId) ?? [], evidence, findings);
  for (const { messageId, failure, receives } of evidence.deadLetters) {
    if (failure === null) findings.stray.push(`message ${messageId} was moved by the queue after too many receives`);
    else if (!evidence.workload.bad.has(messageId) && !isOfReplacedContent(messageId, failure, evidence)) {
      findings.stray.push(`message ${messageId} is good and was rejected with ${failure.code} at receive ${receives}`);
    }
  }
  auditImages(evidence, findings);
  return findings;
}

/** An event of storage names its content: once that was replaced there is nothing of it to analyse, and the next event tells of the next. */
function isOfReplacedContent(messageId: string, { code }: RecordedFailure, { workload, errors }: Evidence): boolean {
  const key = errors.find((row) => row.messageId === messageId)?.key ?? null;
  return code === 'OBJECT_CHANGED' && key !== null && (workload.good.get(key)?.length ?? 0) > 1;
}

/** Only the newest content of a key must have its result; what is there of the others must be as right. */
function auditGood(
  key: string,
  contents: readonly Content[],
  states: readonly VideoState[],
  expected: Evidence['expected'],
  findings: Findings,
): void {
  const { lost, doubled } = findings;
  for (const { etag, status } of states) {
    if (!contents.some((content) => content.etag === etag)) lost.push(`${key} has a row of no content: ${status}`);
    else if (status === 'processing') lost.push(`${key} has a row that is still processing`);
  }
  for (const [index, { clip, etag }] of contents.entries()) {
    const name = contents.length === 1 ? key : `${key} (content ${index + 1} of ${contents.length})`;
    const rows = states.filter((state) => state.etag === etag);
    const completed = rows.find(({ status }) => status === 'completed');
    if (rows.length > 1) doubled.push(`${name} has ${rows.length} rows`);
    if (completed === undefined) {
      const found = rows.map(({ status }) => status).join(', ') || 'no row';
      if (index === contents.length - 1) lost.push(`${name} has no result: ${found}`);
      continue;
    }
    if (completed.completedRuns !== 1) doubled.push(`${name} has ${completed.completedRuns} completed runs`);
    const should = expected.get(clip);
    if (should === undefined) throw new Error(`nothing is known of the clip of ${key}`);
    for (const { kind, text } of differences(completed.result, should)) {
      (kind === 'more' ? doubled : lost).push(`${name}: ${text}`);
    }
  }
}

function auditIds({ workload, ids }: Evidence, { unknownIds }: Findings): void {
  const states = new Map(ids.map((state) => [state.id, state]));
  for (const [id, { key, content }] of workload.ids) {
    const state = states.get(id);
    const means = (workload.good.get(key) ?? []).findIndex(({ etag }) => etag === state?.etag);
    if (state === undefined) unknownIds.push(`${id} (${key}) is not known`);
    else if (state.key !== key) unknownIds.push(`${id} means ${state.key} instead of ${key}`);
    else if (means < content) {
      unknownIds.push(
        `${id} means content ${means + 1} of ${key}, its newest message was about content ${content + 1}`,
      );
    }
  }
  for (const { messageId, key } of workload.bad.values()) {
    if (key !== null && !states.has(key)) unknownIds.push(`${key} of the bad message ${messageId} is not known`);
  }
}

function auditReceives({ workload, receives }: Evidence, { burnt }: Findings): void {
  const allowed = Math.floor(UNEXPLAINED_SHARE * (workload.good.size + workload.bad.size));
  if (receives.burnt.length <= allowed) return;
  for (const receive of receives.burnt) burnt.push(burntText(receive));
}

function auditBad(bad: BadMessage, letters: readonly DeadLetter[], evidence: Evidence, findings: Findings): void {
  const { messageId, key, code, hasRun } = bad;
  const name = `message ${messageId} (${key ?? code})`;
  const letter = letters.find(({ failure }) => failure?.code === code && failure.class === 'permanent');
  if (letter === undefined || letter.failure === null) {
    const found = letters.map(({ failure }) => failure?.code ?? 'no code').join(', ');
    findings.lost.push(`${name}: expected ${code} in the dead-letter queue, found ${found || 'nothing'}`);
    return;
  }
  if (letter.missing.length > 0) findings.lost.push(`${name}: its copy lacks ${letter.missing.join(', ')}`);
  const { failure } = letter;
  const isAbout = (row: ErrorRow): boolean => row.messageId === messageId || (key !== null && row.key === key);
  if (!evidence.errors.some((row) => isAbout(row) && saysTheSame(row, failure))) {
    findings.unrecorded.push(`${name}: no error event says ${code}`);
  }
  if (!hasRun) return;
  const video = evidence.videos.find((state) => state.key === key);
  const isSame = video?.failure !== undefined && video.failure !== null && saysTheSame(video.failure, failure);
  if (video?.status !== 'failed' || !isSame) {
    findings.unrecorded.push(
      `${name}: its video is ${video?.status ?? 'not there'}, its run says ${video?.failure?.code ?? 'nothing'}`,
    );
  }
}

/** The attribute holds the beginning of the reason, without what SQS refuses. */
function saysTheSame(row: RecordedFailure, letter: RecordedFailure): boolean {
  return row.code === letter.code && row.class === letter.class && row.reason.startsWith(letter.reason.slice(0, 100));
}

function auditImages(evidence: Evidence, { images }: Findings): void {
  const { videos, highlights } = evidence;
  const named = new Set(videos.flatMap((video) => video.highlights));
  const stored = new Set(highlights);
  for (const key of named) if (!stored.has(key)) images.push(`${key} is named by a row and not in the bucket`);
  for (const key of stored) {
    if (!named.has(key) && !isOfReplacedVideo(key, evidence) && !isUnderFormerId(key, evidence)) {
      images.push(`${key} is in the bucket and no row names it`);
    }
  }
}

/**
 * A run that has stored its images may be ended before it stores its rows. The next run makes the same images, but where the content was
 * replaced meanwhile: there is nothing left to make them from. Only those that come of such a content may be there.
 */
function isOfReplacedVideo(image: string, { workload, videos, expected }: Evidence): boolean {
  for (const [key, contents] of workload.good) {
    if (!image.startsWith(`highlights/${key}`)) continue;
    // Of this key: the same clip under another one has the same ETag.
    const completed = new Set(
      videos.flatMap((video) => (video.key === key && video.completedRuns > 0 ? [video.etag] : [])),
    );
    return contents
      .slice(0, -1)
      .some(({ etag, clip }) => !completed.has(etag) && imagesOf(expected.get(clip)).has(fileOf(image)));
  }
  return false;
}

/**
 * A storage event may come before the backend's message about the same object. A run that was ended in between has its images under the id
 * that was made for the object, and the next run has them under the backend's.
 */
function isUnderFormerId(image: string, { bucket, workload, expected }: Evidence): boolean {
  const named = new Set(Array.from(workload.ids.values(), ({ key }) => key));
  return [...workload.good].some(
    ([key, contents]) =>
      named.has(key) &&
      contents.some(({ etag, clip }) => {
        const isMade = [etag, `"${etag}"`].some((each) => {
          const id = derivedVideoId({ bucket, key, versionId: null, etag: each });
          return image.startsWith(`highlights/${id}/`);
        });
        return isMade && imagesOf(expected.get(clip)).has(fileOf(image));
      }),
  );
}

/** The names of the images of a result, which are the same under every id. */
function imagesOf(result: ResultSet | undefined): ReadonlySet<string> {
  const keys = (result?.action_events ?? []).map((row) => row['highlight_key']);
  return new Set(keys.flatMap((key) => (typeof key === 'string' ? [fileOf(key)] : [])));
}

function fileOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
