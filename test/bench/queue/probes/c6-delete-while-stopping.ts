import { pause, takeStage, type Probe } from './probe.ts';

const LEASE_SECONDS = 2;

/** Work that ends while the consumer stops is deleted, and its lease is kept until then: it never runs again. */
export const deleteWhileStoppingProbe: Probe = {
  id: 'C6',
  title: 'a job that ends during a quick stop',
  right: { runsAgain: false },
  async run(contender, arena) {
    const started = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<void>();
    const stage = await takeStage(contender, arena, ['a'], {
      leaseSeconds: LEASE_SECONDS,
      handle: async () => {
        started.resolve();
        await pause(LEASE_SECONDS * 1_000 + 700);
        finished.resolve();
      },
    });
    const { running, queueUrl } = stage;
    await started.promise;
    const stopping = running.stop('quick', 30_000);
    await finished.promise;
    await stopping;
    const runsAgain = (await arena.left(queueUrl)) > 0 && (await arena.receive(queueUrl, LEASE_SECONDS + 1)) > 0;
    return { facts: { runsAgain }, ...stage };
  },
};
