import type { Arena, CallCounts } from './arena.ts';
import type { Contender, Handler } from './contender.ts';

export interface Workload {
  readonly slots: number;
  readonly jobs: number;
  /** Milliseconds that the handler of a job takes; 0 does nothing at all. */
  readonly jobMs: (index: number) => number;
}

export interface RunFigures {
  readonly jobsPerSecond: number;
  /** Of this process: the consumer and its client, not the server. */
  readonly cpuMsPerJob: number;
  readonly callsPerJob: Readonly<Record<keyof CallCounts, number>>;
  /** Share of slots times time in which no handler ran. */
  readonly slotIdleShare: number;
}

/** Runs a filled queue empty: from the start of the consumer to its last delete. */
export async function runThrough(arena: Arena, contender: Contender, workload: Workload): Promise<RunFigures> {
  const { slots, jobs, jobMs } = workload;
  const queueUrl = await arena.createQueue();
  const deadLetterUrl = await arena.createQueue();
  await arena.send(
    queueUrl,
    Array.from({ length: jobs }, (_, index) => String(index)),
  );
  let busyMs = 0;
  const handle: Handler = async ({ key }) => {
    const ms = jobMs(Number(key));
    if (ms === 0) return;
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    busyMs += performance.now() - start;
  };
  const done = Promise.withResolvers<void>();
  let count = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const running = contender.start({
    arena,
    queueUrl,
    deadLetterUrl,
    slots,
    leaseSeconds: 60,
    waitSeconds: 1,
    jobLimitMs: null,
    isQuiet: true,
    handle,
    onReported: () => {
      count += 1;
      if (count === jobs) done.resolve();
    },
  });
  await done.promise;
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const calls = { ...running.watch.calls };
  await running.stop('quick', 5_000);
  running.close();
  const perJob = (name: keyof CallCounts): number => Number((calls[name] / jobs).toFixed(3));
  return {
    jobsPerSecond: (jobs * 1_000) / ms,
    cpuMsPerJob: (user + system) / 1_000 / jobs,
    callsPerJob: {
      receive: perJob('receive'),
      delete: perJob('delete'),
      visibility: perJob('visibility'),
      other: perJob('other'),
    },
    slotIdleShare: 1 - busyMs / (slots * ms),
  };
}
