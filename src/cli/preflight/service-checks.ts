import type { MigrationStatus } from '../../persistence/migrate.ts';
import type { QueueAttributes, QueueFinding } from '../../queue/sqs/queue-attributes.ts';
import { type Check, fail, type Finding, ok, warn } from './check.ts';

export interface ReadQueue {
  readonly attributes: QueueAttributes;
  readonly findings: readonly QueueFinding[];
  /** Null: there is none. */
  readonly deadLetter: QueueAttributes | null;
}

export interface VerifiedPack {
  readonly name: string;
  readonly fingerprint: string;
  /** Stages that run the plain way; `reason`: why preparing the pack gave them no graph, null where it could. */
  readonly unprepared: readonly { readonly stage: string; readonly reason: string | null }[];
}

export interface ServiceDeps {
  verifyPack(dir: string): Promise<VerifiedPack>;
  migrationStatus(signal: AbortSignal): Promise<MigrationStatus>;
  readQueue(url: string, signal: AbortSignal): Promise<ReadQueue>;
  /** Rejects when the bucket cannot be reached. */
  askBucket(bucket: string, signal: AbortSignal): Promise<void>;
}

const CALL_TIMEOUT_MS = 15_000;
/** Reading and hashing a pack of several gigabytes from a cold disk. */
export const PACK_TIMEOUT_MS = 300_000;

/** `models`: where the models are to run, once that is known. */
export function packCheck(dir: string, deps: ServiceDeps, models: Promise<'cuda' | 'cpu'>): Check {
  return {
    name: 'model pack',
    timeoutMs: PACK_TIMEOUT_MS,
    fix: `compare with \`video-worker models verify --pack ${dir}\`, or set MODEL_PACK to another pack`,
    run: async () => {
      const pack = await deps.verifyPack(dir);
      const onGpu = pack.unprepared.length > 0 && (await models) === 'cuda';
      return judgePack(dir, onGpu ? pack : { ...pack, unprepared: [] });
    },
  };
}

function judgePack(dir: string, { name, fingerprint, unprepared }: VerifiedPack): Finding {
  const tried = unprepared.flatMap(({ stage, reason }) => (reason === null ? [] : [`${stage} (${reason})`]));
  const possible = unprepared.flatMap(({ stage, reason }) => (reason === null ? [stage] : []));
  const detail = [
    `${name} in ${dir} (${fingerprint.slice(0, 12)})`,
    ...(tried.length === 0 ? [] : [`no graph of its own can be made for ${tried.join(', ')}`]),
  ].join('; ');
  // Nobody can do more than prepare a pack.
  if (possible.length === 0) return ok(detail);
  return warn(
    `${detail}; on the GPU without a graph of their own, and so much slower: ${possible.join(', ')}`,
    `\`video-worker models prepare ${dir} --out NEW_FOLDER\`, and set MODEL_PACK to the new folder; this one may be prepared already, by an earlier version`,
  );
}

export function databaseCheck(migrateOnStart: boolean, deps: ServiceDeps): Check {
  return {
    name: 'database',
    service: 'database',
    timeoutMs: CALL_TIMEOUT_MS,
    fix: 'check DATABASE_URL and the log of Postgres',
    run: async (signal) => judgeMigrations(await deps.migrationStatus(signal), migrateOnStart),
  };
}

export function judgeMigrations(status: MigrationStatus, migrateOnStart: boolean): Finding {
  if (status.problems.length > 0) {
    return fail(
      status.problems.join('; '),
      'see `video-worker db status`; a migration that stopped half-way needs a hand',
    );
  }
  const { lackingRights = [] } = status;
  if (lackingRights.length > 0) {
    return fail(
      `its role lacks ${lackingRights.join(', ')}`,
      'run prisma/roles/worker.sql as the owner of the schema: after each migration, too',
    );
  }
  if (status.pending.length === 0) return ok(`reachable, ${status.applied.length} migration(s) applied`);
  const detail = `${status.pending.length} migration(s) missing: ${status.pending.join(', ')}`;
  return migrateOnStart
    ? ok(`${detail}; applied at start (MIGRATE_ON_START=on)`)
    : fail(detail, 'run `video-worker db migrate`, or set MIGRATE_ON_START=on');
}

export function queueCheck(name: string, url: string, visibilitySeconds: number, deps: ServiceDeps): Check {
  return {
    name,
    service: 'queue',
    timeoutMs: CALL_TIMEOUT_MS,
    fix: 'check the URL, AWS_REGION, AWS_ENDPOINT_URL, the credentials and the right to read queue attributes',
    run: async (signal) => judgeQueue(await deps.readQueue(url, signal), visibilitySeconds),
  };
}

/** What of a queue's set-up would lose messages or run them twice. */
export function judgeQueue(read: ReadQueue, visibilitySeconds: number): Finding {
  const { attributes, deadLetter, findings } = read;
  const detail = `visibility ${attributes.visibilitySeconds} s, retention ${days(attributes)}, ${
    attributes.redrive === null ? 'no redrive' : `redrive after ${attributes.redrive.maxReceiveCount}`
  }`;
  const texts = findings.map((finding) => finding.text);
  // The worker sets its own visibility at every receive; other readers of the queue get the queue's.
  if (attributes.visibilitySeconds < visibilitySeconds) {
    texts.push(`the queue's visibility timeout is shorter than VISIBILITY_TIMEOUT_SECONDS (${visibilitySeconds})`);
  }
  // A message keeps the age that it had in the first queue: with an equal retention it would be gone almost at once.
  if (deadLetter !== null && deadLetter.retentionSeconds <= attributes.retentionSeconds) {
    texts.push(
      `the dead-letter queue keeps messages for ${days(deadLetter)}, no longer than the queue itself: set 14 days`,
    );
  }
  if (texts.length === 0) return ok(detail);
  const isError = findings.some((finding) => finding.severity === 'error');
  return isError ? fail(detail, texts.join('; ')) : warn(detail, texts.join('; '));
}

function days(queue: QueueAttributes): string {
  return `${Number((queue.retentionSeconds / 86_400).toFixed(1))} d`;
}

export function bucketCheck(bucket: string, deps: ServiceDeps): Check {
  return {
    name: 'highlights bucket',
    service: 'bucket',
    timeoutMs: CALL_TIMEOUT_MS,
    severity: 'warn',
    fix: 'check HIGHLIGHTS_BUCKET and the right to write to it; events are stored without images until then',
    run: async (signal) => {
      await deps.askBucket(bucket, signal);
      return ok(`${bucket} reachable`);
    },
  };
}
