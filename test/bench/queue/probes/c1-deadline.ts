import { eventually, takeStage, untilAborted, type Probe } from './probe.ts';

const LIMIT_MS = 1_000;
/** Long enough for the lease to run out twice while the job goes on. */
const JOB_MS = 5_000;

/** A job that runs past its limit is told to stop, and its message is not started again while it still runs. */
export const deadlineProbe: Probe = {
  id: 'C1',
  title: 'a job over its time limit',
  right: { runs: 1, atOnce: 1, endedAtLimit: true },
  async run(contender, arena) {
    let [runs, active, atOnce] = [0, 0, 0];
    const durations: number[] = [];
    const stage = await takeStage(contender, arena, ['a'], {
      slots: 10,
      jobLimitMs: LIMIT_MS,
      handle: async (_job, { signal }) => {
        runs += 1;
        active += 1;
        atOnce = Math.max(atOnce, active);
        const start = performance.now();
        await untilAborted(JOB_MS, signal);
        durations.push(performance.now() - start);
        active -= 1;
        signal?.throwIfAborted();
      },
    });
    await eventually(async () => runs > 0 && active === 0 && (await arena.left(stage.queueUrl)) === 0, JOB_MS + 2_000);
    await stage.running.stop('quick', 1_000);
    return {
      facts: { runs, atOnce, endedAtLimit: (durations[0] ?? JOB_MS) < JOB_MS - 1_000 },
      ...stage,
    };
  },
};
