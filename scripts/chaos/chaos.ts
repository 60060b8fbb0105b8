import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { startChild } from '../../src/local/child-process.ts';
import type { FauxqsOptions, FauxqsReady } from '../../src/local/fauxqs-process.ts';
import { openDatabase } from '../../src/persistence/client.ts';
import { migrateDatabase } from '../../src/persistence/migrate.ts';
import { createSqsClients } from '../../src/queue/sqs-client.ts';
import { createFaultProxy } from '../../test/support/fault-proxy.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { doFault, faultPlan, type FaultName } from './faults.ts';
import { Fleet } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { processesIn, untilNone } from './leftovers.ts';
import { seededRandom } from './random.ts';
import { judge, type ChaosReport } from './report.ts';
import { sendWorkload, type Workload } from './workload.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly workers: number;
  readonly jobs: number;
  /** Faults end after so many; the jobs then finish undisturbed. */
  readonly faults: number;
  readonly say: (line: string) => void;
}

const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const SCHEMA = 'video_worker';
const VIDEOS = 'videos';
const HIGHLIGHTS = 'highlights';
const VISIBILITY_SECONDS = 4;
const SETTLE_LIMIT_MS = 120_000;

/** Runs real worker processes through faults, and answers with what was lost, doubled or left behind. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const random = seededRandom(options.seed);
  const directory = await mkdtemp(join(tmpdir(), 'chaos-'));
  const workDir = join(directory, 'work');
  await mkdir(workDir);
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const postgres = await startPostgres();
  cleanup.defer(() => postgres.stop());
  const server = await startChild<FauxqsReady>('fauxqs-process', {
    port: 0,
    region: REGION,
    dataDir: null,
    queues: [
      { name: 'dead', attributes: {} },
      { name: 'jobs', attributes: { VisibilityTimeout: '30' } },
    ],
    buckets: [VIDEOS, HIGHLIGHTS],
  } satisfies FauxqsOptions);
  cleanup.defer(() => server.close());
  const proxies = {
    sqs: await createFaultProxy('127.0.0.1', server.ready.port),
    s3: await createFaultProxy('127.0.0.1', server.ready.port),
    database: await createFaultProxy('127.0.0.1', postgres.port),
  };
  for (const proxy of Object.values(proxies)) cleanup.defer(() => proxy.close());
  await migrate(postgres.url);

  const endpoint = `http://127.0.0.1:${server.ready.port}`;
  const queue = (name: string, port: number): string => `http://127.0.0.1:${port}/000000000000/${name}`;
  using sqs = createSqsClients({ region: REGION, endpoint, credentials: CREDENTIALS });
  const s3 = new S3Client({ region: REGION, endpoint, forcePathStyle: true, credentials: CREDENTIALS });
  cleanup.defer(() => s3.destroy());
  const queueUrl = queue('jobs', server.ready.port);
  const ledger = new Ledger({
    databaseUrl: postgres.url,
    schema: SCHEMA,
    sqs: sqs.control,
    deadLetterUrl: queue('dead', server.ready.port),
  });
  const target = { sqs: sqs.control, s3, queueUrl, bucket: VIDEOS, directory };
  const workload = await sendWorkload(target, options.jobs, random);
  options.say(
    `${workload.good.length} good and ${workload.bad.size} bad messages sent, ${options.workers} workers start`,
  );

  const fleet = new Fleet(
    {
      region: REGION,
      sqsEndpoint: `http://127.0.0.1:${proxies.sqs.port}`,
      s3Endpoint: `http://127.0.0.1:${proxies.s3.port}`,
      queueUrl: queue('jobs', proxies.sqs.port),
      deadLetterUrl: queue('dead', proxies.sqs.port),
      databaseUrl: postgres.url.replace(`:${postgres.port}/`, `:${proxies.database.port}/`),
      schema: SCHEMA,
      workDir,
      highlightsBucket: HIGHLIGHTS,
      visibilitySeconds: VISIBILITY_SECONDS,
      aliveSeconds: 5,
      drainMs: 500,
      frameMs: 700,
    },
    options.workers,
  );
  let faults: Readonly<Record<string, number>> = {};
  let queued = 0;
  try {
    const targets = {
      fleet,
      ...proxies,
      postgres,
      duplicate: () => workload.duplicate(random),
      visibilitySeconds: VISIBILITY_SECONDS,
    };
    faults = await disturb(options, targets, random);
    options.say('the faults are over');
    queued = await untilNone(async () => await unsettled(ledger, workload, queueUrl), SETTLE_LIMIT_MS);
  } finally {
    await fleet.end();
  }
  const leftovers = {
    messages: queued,
    workspaces: (await readdir(workDir)).length,
    processes: await untilNone(async () => (await processesIn(workDir)).length, 2_000),
    databaseConnections: await untilNone(() => ledger.connections(), 5_000),
    proxyConnections: await untilNone(
      () => Object.values(proxies).reduce((sum, { connections }) => sum + connections, 0),
      5_000,
    ),
    runningRuns: await ledger.unfinishedRuns(),
  };
  return await judge({ options, workload, ledger, fleet, faults, leftovers });
}

async function migrate(url: string): Promise<void> {
  const database = await openDatabase({ url, schema: SCHEMA });
  try {
    await migrateDatabase(database, AbortSignal.timeout(30_000));
  } finally {
    await database.close();
  }
}

async function disturb(
  options: ChaosOptions,
  targets: Parameters<typeof doFault>[1],
  random: () => number,
): Promise<Readonly<Record<string, number>>> {
  const done: Partial<Record<FaultName, number>> = {};
  const plan = faultPlan(random);
  const running: Promise<void>[] = [];
  await sleep(2_000);
  for (let index = 0; index < options.faults; index++) {
    const name = plan.next().value;
    options.say(`fault ${index + 1}: ${name}`);
    const fault = doFault(name, targets, random);
    // Faults overlap, as they do in life; two restarts of one server do not.
    if (name === 'database-restart') await fault;
    else running.push(fault);
    done[name] = (done[name] ?? 0) + 1;
    await sleep(300 + random() * 1_200);
  }
  await Promise.all(running);
  return done;
}

/** Messages in the queue, good videos without a result and bad messages that are not in the dead-letter queue yet. */
async function unsettled(ledger: Ledger, workload: Workload, queueUrl: string): Promise<number> {
  await ledger.readDead();
  const completed = new Set(
    (await ledger.videos()).filter(({ status }) => status === 'completed').map(({ key }) => key),
  );
  const open = workload.good.filter((key) => !completed.has(key)).length;
  const missing = [...workload.bad.keys()].filter((id) => !ledger.dead.has(id)).length;
  return (await ledger.queued(queueUrl)) + open + missing;
}
