import type { DeadLetter } from './dead-letters.ts';
import type { ErrorRow, RecordedFailure, VideoState } from './ledger.ts';
import type { ResultSet } from './result-set.ts';
import type { BadMessage, Workload } from './workload.ts';

export interface Evidence {
  readonly workload: Workload;
  /** What a clip comes to when nothing goes wrong, by clip name. */
  readonly expected: ReadonlyMap<string, ResultSet>;
  readonly videos: readonly VideoState[];
  readonly errors: readonly ErrorRow[];
  readonly deadLetters: readonly DeadLetter[];
  /** Keys in the bucket of the highlight images. */
  readonly highlights: readonly string[];
}

/** Sentences about what is wrong, by kind. */
export interface Findings {
  /** Good videos without their complete result, and bad messages that are not in the dead-letter queue with their reason. */
  readonly lost: string[];
  /** Videos with more than one completed run or row, or with rows that an undisturbed run would not write. */
  readonly doubled: string[];
  /** Messages that the queue itself moved after too many receives, and good ones that were rejected. */
  readonly stray: string[];
  /** Bad messages of which the database says nothing, or something else than the dead-letter queue. */
  readonly unrecorded: string[];
  /** Images that a row names and the bucket lacks, and images that no row names. */
  readonly images: string[];
}

/** Compares what was sent with what is in the database, the dead-letter queue and the bucket. */
export function audit(evidence: Evidence): Findings {
  const findings: Findings = { lost: [], doubled: [], stray: [], unrecorded: [], images: [] };
  const states = Map.groupBy(evidence.videos, ({ key }) => key);
  for (const [key, clip] of evidence.workload.good) {
    auditGood(key, evidence.expected.get(clip), states.get(key) ?? [], findings);
  }
  const letters = Map.groupBy(evidence.deadLetters, ({ messageId }) => messageId);
  for (const bad of evidence.workload.bad.values()) auditBad(bad, letters.get(bad.messageId) ?? [], evidence, findings);
  for (const { messageId, failure, receives } of evidence.deadLetters) {
    if (failure === null) findings.stray.push(`message ${messageId} was moved by the queue after too many receives`);
    else if (!evidence.workload.bad.has(messageId)) {
      findings.stray.push(`message ${messageId} is good and was rejected with ${failure.code} at receive ${receives}`);
    }
  }
  auditImages(evidence, findings);
  return findings;
}

function auditGood(
  key: string,
  expected: ResultSet | undefined,
  states: readonly VideoState[],
  { lost, doubled }: Findings,
): void {
  const completed = states.find(({ status }) => status === 'completed');
  if (completed === undefined) {
    lost.push(`${key} has no result: ${states.map(({ status }) => status).join(', ') || 'no row'}`);
    return;
  }
  if (states.length > 1) doubled.push(`${key} has ${states.length} rows`);
  if (completed.completedRuns !== 1) doubled.push(`${key} has ${completed.completedRuns} completed runs`);
  if (expected === undefined) throw new Error(`nothing is known of the clip of ${key}`);
  const differs = (Object.keys(expected) as (keyof ResultSet)[]).filter(
    (name) => JSON.stringify(completed.result[name]) !== JSON.stringify(expected[name]),
  );
  for (const name of differs) {
    const [is, should] = [completed.result[name], expected[name]];
    const isMore = typeof is === 'number' && typeof should === 'number' ? is > should : size(is) > size(should);
    (isMore ? doubled : lost).push(`${key}: ${name} ${JSON.stringify(is)}, undisturbed ${JSON.stringify(should)}`);
  }
}

function size(value: number | readonly string[] | null): number {
  return Array.isArray(value) ? value.length : 0;
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

function auditImages({ videos, highlights }: Evidence, { images }: Findings): void {
  const named = new Set(videos.flatMap((video) => video.highlights));
  const stored = new Set(highlights);
  for (const key of named) if (!stored.has(key)) images.push(`${key} is named by a row and not in the bucket`);
  for (const key of stored) if (!named.has(key)) images.push(`${key} is in the bucket and no row names it`);
}
