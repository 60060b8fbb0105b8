import { takeStage, untilAborted, type Probe } from './probe.ts';

const JOB_MS = 3_000;

/** A job that outlives the deadline of the stop is aborted and its message is there for others at once. */
export const stopDeadlineProbe: Probe = {
  id: 'C7',
  title: 'a job that outlives the deadline of the stop',
  right: { jobTold: true, visibleAtOnce: true },
  async run(contender, arena) {
    const started = Promise.withResolvers<void>();
    let jobTold = false;
    const stage = await takeStage(contender, arena, ['a'], {
      leaseSeconds: 600,
      handle: async (_job, { signal }) => {
        started.resolve();
        await untilAborted(JOB_MS, signal);
        jobTold = signal?.aborted === true;
        signal?.throwIfAborted();
      },
    });
    const { running, queueUrl } = stage;
    await started.promise;
    await running.stop('quick', 100);
    return { facts: { jobTold, visibleAtOnce: (await arena.receive(queueUrl, 1)) === 1 }, ...stage };
  },
};
