import { pause, takeStage, type Probe } from './probe.ts';

/** Stopped means that nothing runs any more and what was done is settled. */
export const stopWaitsProbe: Probe = {
  id: 'C4',
  title: 'stop while a job runs',
  right: { jobEndedBeforeStopped: true, left: 0 },
  async run(contender, arena) {
    const started = Promise.withResolvers<void>();
    let ended = false;
    const stage = await takeStage(contender, arena, ['a'], {
      handle: async () => {
        started.resolve();
        await pause(800);
        ended = true;
      },
    });
    const { running, queueUrl } = stage;
    await started.promise;
    await running.stop('wait', 30_000);
    const jobEndedBeforeStopped = ended;
    const left = await arena.left(queueUrl);
    return { facts: { jobEndedBeforeStopped, left }, ...stage };
  },
};
