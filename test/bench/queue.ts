import { isDeepStrictEqual } from 'node:util';
import { median } from './figures.ts';
import { openArena, type Arena, type CallCounts } from './queue/arena.ts';
import type { Contender } from './queue/contender.ts';
import { ourWorker } from './queue/our-worker.ts';
import type { Facts } from './queue/probes/probe.ts';
import { PROBES } from './queue/probes/probes.ts';
import { sqsConsumer } from './queue/sqs-consumer.ts';
import { runThrough, type RunFigures, type Workload } from './queue/throughput.ts';

const SLOTS = 40;
const ROUNDS = 12;
/** Jobs that do nothing: what is left is the consumer's own cost. */
const NO_OP: Workload = { slots: SLOTS, jobs: 3_000, jobMs: () => 0 };
/** One job in ten takes twenty times as long as the others: what waits for it stands idle. */
const UNEVEN: Workload = { slots: SLOTS, jobs: 600, jobMs: (index) => (index % 10 === 0 ? 400 : 20) };

const RACERS = {
  worker: ourWorker,
  sqsConsumer: sqsConsumer('sqs-consumer, handleMessage', { isBatch: false, hasHeartbeat: false, stopWaits: false }),
  sqsConsumerBatch: sqsConsumer('sqs-consumer, handleMessageBatch', {
    isBatch: true,
    hasHeartbeat: false,
    stopWaits: false,
  }),
} as const;
type Racer = keyof typeof RACERS;

const PROBED: Readonly<Record<string, Contender>> = {
  worker: ourWorker,
  sqsConsumer: sqsConsumer('sqs-consumer', { isBatch: false, hasHeartbeat: true, stopWaits: false }),
  sqsConsumerStopWaits: sqsConsumer('sqs-consumer, pollingCompleteWaitTimeMs', {
    isBatch: false,
    hasHeartbeat: true,
    stopWaits: true,
  }),
};

interface Figures {
  readonly jobsPerSecond: number;
  readonly slowestRound: number;
  readonly fastestRound: number;
  readonly cpuMsPerJob: number;
  readonly apiCallsPerJob: number;
  readonly callsPerJob: Readonly<Record<keyof CallCounts, number>>;
  /** With the uneven jobs: share of slots times time in which no handler ran. */
  readonly slotIdleShare: number;
  readonly unevenJobsPerSecond: number;
}

interface ProbeOutcome {
  readonly probe: string;
  readonly title: string;
  readonly right: Facts;
  readonly outcomes: Readonly<Record<string, { readonly ok: boolean; readonly facts: Facts }>>;
}

/**
 * This worker beside sqs-consumer on one server in a process of its own: no-op jobs per second, calls per job, idle slots,
 * and eight situations. Both have the same number of slots, both are warm, and they take turns.
 */
export async function benchQueue(): Promise<Record<string, unknown>> {
  await using arena = await openArena();
  const even = await race(arena, NO_OP, ROUNDS);
  const uneven = await race(arena, UNEVEN, 5);
  const figures = Object.fromEntries(
    (Object.keys(RACERS) as Racer[]).map((name) => [name, figuresOf(even[name], uneven[name])]),
  ) as Record<Racer, Figures>;
  // Of each round by itself: the turns of a round have the machine in about the same mood.
  const ratio = (to: Racer): number =>
    round(median(even.worker.map(({ jobsPerSecond }, at) => jobsPerSecond / (even[to][at]?.jobsPerSecond ?? 0))), 2);
  const cpuRatio = (to: Racer): number =>
    round(median(even.worker.map(({ cpuMsPerJob }, at) => cpuMsPerJob / (even[to][at]?.cpuMsPerJob ?? 0))), 2);
  const probes = await probeAll(arena);
  for (const line of [...raceTable(figures), '', ...probeTable(probes)]) console.error(line);
  return {
    jobs: NO_OP.jobs,
    rounds: ROUNDS,
    slots: SLOTS,
    ...figures,
    ratio: ratio('sqsConsumer'),
    ratioToBatch: ratio('sqsConsumerBatch'),
    cpuRatioToBatch: cpuRatio('sqsConsumerBatch'),
    probes,
  };
}

/** Rounds in which each has its turn, another first each time; the round before them only warms up. */
async function race(arena: Arena, workload: Workload, rounds: number): Promise<Record<Racer, RunFigures[]>> {
  const results: Record<Racer, RunFigures[]> = { worker: [], sqsConsumer: [], sqsConsumerBatch: [] };
  const names = Object.keys(RACERS) as Racer[];
  for (let number = 0; number <= rounds; number += 1) {
    const first = number % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const figures = await runThrough(arena, RACERS[name], workload);
      if (number > 0) results[name].push(figures);
    }
    console.error(number === 0 ? 'warm' : `round ${number} of ${rounds} (${workload.jobs} jobs)`);
  }
  return results;
}

function figuresOf(even: readonly RunFigures[], uneven: readonly RunFigures[]): Figures {
  const rates = even.map(({ jobsPerSecond }) => jobsPerSecond);
  const calls = (name: keyof CallCounts): number => median(even.map(({ callsPerJob }) => callsPerJob[name]));
  const callsPerJob = {
    receive: calls('receive'),
    delete: calls('delete'),
    visibility: calls('visibility'),
    other: calls('other'),
  };
  return {
    jobsPerSecond: Math.round(median(rates)),
    slowestRound: Math.round(Math.min(...rates)),
    fastestRound: Math.round(Math.max(...rates)),
    cpuMsPerJob: round(median(even.map(({ cpuMsPerJob }) => cpuMsPerJob)), 3),
    apiCallsPerJob: round(
      Object.values(callsPerJob).reduce((sum, value) => sum + value, 0),
      3,
    ),
    callsPerJob,
    slotIdleShare: round(median(uneven.map(({ slotIdleShare }) => slotIdleShare)), 3),
    unevenJobsPerSecond: Math.round(median(uneven.map(({ jobsPerSecond }) => jobsPerSecond))),
  };
}

async function probeAll(arena: Arena): Promise<ProbeOutcome[]> {
  const all: ProbeOutcome[] = [];
  for (const probe of PROBES) {
    const outcomes: Record<string, { ok: boolean; facts: Facts }> = {};
    for (const [name, contender] of Object.entries(PROBED)) {
      const { facts, running } = await probe.run(contender, arena);
      running.close();
      outcomes[name] = { ok: isDeepStrictEqual(facts, probe.right), facts };
    }
    console.error(`probe ${probe.id}`);
    all.push({ probe: probe.id, title: probe.title, right: probe.right, outcomes });
  }
  return all;
}

function raceTable(figures: Readonly<Record<Racer, Figures>>): string[] {
  return (Object.keys(RACERS) as Racer[]).map((name) => {
    const { jobsPerSecond, cpuMsPerJob, callsPerJob, slotIdleShare } = figures[name];
    const calls = `${callsPerJob.receive} receive, ${callsPerJob.delete} delete, ${callsPerJob.visibility} visibility`;
    return `${RACERS[name].name.padEnd(34)} ${jobsPerSecond} jobs/s, ${cpuMsPerJob} ms of CPU each; calls a job: ${calls}; idle slots ${slotIdleShare}`;
  });
}

function probeTable(probes: readonly ProbeOutcome[]): string[] {
  return probes.flatMap(({ probe, title, outcomes }) => [
    `${probe} ${title}`,
    ...Object.entries(outcomes).map(
      ([name, { ok, facts }]) =>
        `   ${(PROBED[name]?.name ?? name).padEnd(44)} ${ok ? 'right' : 'wrong'}: ${JSON.stringify(facts)}`,
    ),
  ]);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
