import { eventually, takeStage, untilAborted, type Probe } from './probe.ts';

const JOB_MS = 3_000;

/** A message that somebody else deletes under a running job: the job is told, and no success is reported. */
export const deletedElsewhereProbe: Probe = {
  id: 'C2',
  title: 'a message deleted by somebody else under its job',
  right: { jobTold: true, reportedSuccess: false },
  async run(contender, arena) {
    const started = Promise.withResolvers<string>();
    const ended = Promise.withResolvers<void>();
    let jobTold = false;
    const stage = await takeStage(contender, arena, ['a'], {
      handle: async ({ messageId }, { signal }) => {
        started.resolve(messageId);
        await untilAborted(JOB_MS, signal);
        jobTold = signal?.aborted === true;
        ended.resolve();
      },
    });
    const { running, queueUrl } = stage;
    const messageId = await started.promise;
    await arena.delete(queueUrl, running.watch.receipts.get(messageId) ?? '');
    await ended.promise;
    await eventually(() => running.reported.length > 0, 500);
    await running.stop('wait', 1_000);
    return { facts: { jobTold, reportedSuccess: running.reported.length > 0 }, ...stage };
  },
};
