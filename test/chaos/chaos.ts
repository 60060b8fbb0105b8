import { readdir } from 'node:fs/promises';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { processesOf } from '../harness/processes.ts';
import { audit } from './audit.ts';
import { burntText, explainReceives, type ExplainedReceives } from './burnt-receives.ts';
import { renderClips } from './clips.ts';
import { readDeadLetters, type DeadLetter } from './dead-letters.ts';
import { planFaults } from './fault-plan.ts';
import { disturb, type Disturbance } from './faults.ts';
import { Fleet } from './fleet.ts';
import { ALIVE_SECONDS, HIGHLIGHTS, prepareGround, SCHEMA, VIDEOS, VISIBILITY_SECONDS, type Ground } from './ground.ts';
import { untilNone } from './leftovers.ts';
import { Ledger } from './ledger.ts';
import type { ChaosOptions } from './options.ts';
import { seededRandom } from './random.ts';
import { times, type ChaosReport } from './report.ts';
import { undisturbedAnalyses, undisturbedResults } from './undisturbed.ts';
import { planWorkload, type Workload } from './workload.ts';

const SETTLE_MS = 120_000;
const SETTLE_MS_PER_JOB = 5_000;

/** Runs real daemons through faults, and answers with what was lost, doubled or left behind. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { say } = options;
  const start = performance.now();
  // Separate sequences: another number of faults leaves the jobs of a seed as they are.
  const plan = planFaults(seededRandom(options.seed), options);
  await using ground = await prepareGround(options);
  const clips = await renderClips(ground.directory);
  const target = { ...ground, bucket: VIDEOS, clips };
  const workload = await planWorkload(target, options.jobs, seededRandom(options.seed + 1));
  say(`${options.jobs} messages planned, ${options.workers} daemons start`);
  const ledger = new Ledger(ground.postgres.url, SCHEMA);
  const deadLetters: DeadLetter[] = [];
  const fleet = new Fleet(ground.envs, options.logFile);
  let disturbance: Disturbance;
  let queued = 0;
  let expected: Awaited<ReturnType<typeof undisturbedResults>>;
  try {
    await fleet.polling();
    const targets = {
      fleet,
      links: ground.links,
      postgres: ground.postgres,
      rooms: ground.rooms,
      leaseMs: VISIBILITY_SECONDS * 1_000,
      workload,
      progress: () => 1 - workload.unsent / options.jobs,
    };
    const undisturbed = undisturbedAnalyses(clips, ground.envs[0] ?? {}, ground.directory);
    // Not at once: behind a long queue the time to take a killed job over would be the time to get through the queue.
    const feeding = feed(ground, workload, options.workers);
    // Both are awaited after the faults; a failure meanwhile must not end the process.
    Promise.all([undisturbed, feeding]).catch(() => {});
    disturbance = await disturb(plan, targets, say);
    say(`the faults are over, ${workload.unsent} messages are still to come`);
    await feeding;
    expected = await undisturbedResults(await undisturbed, ground.postgres.url);
    queued = await untilNone(
      async () => await unsettled(ground, ledger, workload, deadLetters),
      SETTLE_MS + SETTLE_MS_PER_JOB * options.jobs,
    );
    // What a worker that was killed left in its folder is removed by the next start, which may take longer than what was to settle.
    await fleet.polling();
  } finally {
    await fleet.end();
  }
  const left = (await Promise.all(foldersOf(ground).map((folder) => readdir(folder)))).flat();
  const leftovers = { messages: queued, ...(await leftBehind(ground, ledger)) };
  deadLetters.push(...(await readDeadLetters(ground.sqs, ground.deadLetterUrl)));
  const videos = await ledger.videos();
  const highlights = await listKeys(ground.s3, HIGHLIGHTS);
  const errors = await ledger.errors();
  const ids = await ledger.ids();
  const receives = receivesOf(ground, fleet, disturbance);
  const findings = audit({
    bucket: VIDEOS,
    workload,
    expected,
    videos,
    ids,
    errors,
    deadLetters,
    highlights,
    receives,
  });
  const problems = [
    ...Object.entries(findings).flatMap(([kind, texts]: [string, string[]]) => texts.map((text) => `${kind}: ${text}`)),
    ...Object.entries(leftovers).flatMap(([name, count]) => (count > 0 ? [`left behind: ${count} ${name}`] : [])),
    ...left.map((name) => `left behind: ${name}`),
    ...fleet.surprises,
  ];
  const seconds = await ledger.seconds(fleet.kills, ALIVE_SECONDS);
  const thrownAway = (seconds['superseded'] ?? 0) + (seconds['interrupted'] ?? 0) + (seconds['failed'] ?? 0);
  const recoveries = await ledger.recoveries(fleet.kills);
  const good = videos.filter(({ key }) => workload.good.has(key));
  return {
    ok: problems.length === 0,
    seed: options.seed,
    workers: options.workers,
    jobs: options.jobs,
    maxReceives: options.maxReceives,
    runs: videos.reduce((sum, { runs }) => sum + runs, 0),
    lost: findings.lost.length,
    doubled: findings.doubled.length,
    unknownIds: findings.unknownIds.length,
    burntReceives: receives.burnt.length,
    burnt: receives.burnt.map(burntText),
    receivedAgain: receives.again,
    stray: findings.stray.length,
    unrecorded: findings.unrecorded.length,
    strayImages: findings.images.length,
    leftovers,
    wastedWork: Number((thrownAway / (thrownAway + (seconds['completed'] ?? 0))).toFixed(4)),
    wastedRuns: good.reduce((sum, { runs, completedRuns }) => sum + runs - completedRuns, 0),
    recoverKilledMs: times(recoveries.map(({ takeover }) => takeover)),
    completeKilledMs: times(recoveries.map(({ completion }) => completion)),
    sigtermToReleasedMs: times(fleet.released),
    faults: disturbance.counts,
    leftOut: disturbance.leftOut,
    uploadsAgain: [...workload.good.values()].reduce((sum, contents) => sum + contents.length - 1, 0),
    processesStarted: fleet.started,
    failedStarts: fleet.failedStarts,
    halts: fleet.halts,
    mostReceives: receives.most,
    highlights: highlights.length,
    deadLetters: deadLetters.length,
    seconds: Math.round((performance.now() - start) / 1_000),
    problems,
    log: problems.length === 0 ? [] : fleet.log.slice(-40).map((text) => text.slice(0, 600)),
  };
}

/** Where nothing may be left. */
function foldersOf({ rooms, tempDir }: Ground): string[] {
  return [...rooms.map(({ workDir }) => workDir), tempDir];
}

function receivesOf({ receives }: Ground, fleet: Fleet, { troubles }: Disturbance): ExplainedReceives {
  const messages = receives.messageIds.map((messageId) => ({
    messageId,
    seen: receives.of(messageId),
    sightings: fleet.witness.of(messageId),
  }));
  return explainReceives(messages, fleet.absences, troubles);
}

const WAITING_PER_WORKER = 3;

/** Sends the next message whenever few wait. */
async function feed(ground: Ground, workload: Workload, workers: number): Promise<void> {
  while (workload.unsent > 0) {
    if ((await messagesIn(ground, ['ApproximateNumberOfMessages'])) < workers * WAITING_PER_WORKER) {
      await workload.sendNext();
    } else await new Promise((wake) => setTimeout(wake, 100));
  }
}

/** Messages in the queue, good videos without a result and bad messages that are not in the dead-letter queue yet. */
async function unsettled(
  ground: Ground,
  ledger: Ledger,
  workload: Workload,
  deadLetters: DeadLetter[],
): Promise<number> {
  deadLetters.push(...(await readDeadLetters(ground.sqs, ground.deadLetterUrl)));
  const completed = new Set((await ledger.completed()).map(({ key, etag }) => `${key} ${etag}`));
  const dead = new Set(deadLetters.map(({ messageId }) => messageId));
  const newest = [...workload.good].map(([key, contents]) => `${key} ${contents.at(-1)?.etag}`);
  const open = newest.filter((content) => !completed.has(content)).length;
  const missing = [...workload.bad.keys()].filter((id) => !dead.has(id)).length;
  return (await messagesIn(ground)) + open + missing;
}

type Counted = 'ApproximateNumberOfMessages' | 'ApproximateNumberOfMessagesNotVisible';

async function messagesIn(
  { sqs, queueUrl }: Ground,
  names: readonly Counted[] = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
): Promise<number> {
  const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }));
  return names.reduce((sum, name) => sum + Number(answer.Attributes?.[name] ?? 0), 0);
}

async function leftBehind(ground: Ground, ledger: Ledger): Promise<Readonly<Record<string, number>>> {
  return {
    processes: await untilNone(
      async () => (await Promise.all(ground.rooms.map(({ workDir }) => processesOf(workDir)))).flat().length,
      5_000,
    ),
    workspaces: (await Promise.all(ground.rooms.map(({ workDir }) => readdir(workDir)))).flat().length,
    temporaryFiles: (await readdir(ground.tempDir)).length,
    databaseConnections: await untilNone(() => ledger.connections(), 5_000),
    sockets: await untilNone(
      () => Object.values(ground.links).reduce((sum, { connections }) => sum + connections, 0),
      5_000,
    ),
    runningRuns: await ledger.unfinishedRuns(),
  };
}

async function listKeys(s3: S3Client, bucket: string): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}
