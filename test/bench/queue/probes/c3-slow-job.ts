import { eventually, takeStage, type Probe } from './probe.ts';

const FAST = 5;
const SLOW_MS = 3_000;

/** One slow job and then five fast ones: a free slot takes them without waiting for the slow one. */
export const slowJobProbe: Probe = {
  id: 'C3',
  title: 'one slow job and five fast ones',
  right: { fastDoneMeanwhile: FAST },
  async run(contender, arena) {
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const stage = await takeStage(contender, arena, ['slow'], {
      slots: 2,
      leaseSeconds: 30,
      handle: async ({ key }) => {
        if (key !== 'slow') return;
        started.resolve();
        await finish.promise;
      },
    });
    const { running, queueUrl } = stage;
    await started.promise;
    await arena.send(
      queueUrl,
      Array.from({ length: FAST }, (_, index) => `fast-${index}`),
    );
    await eventually(() => running.reported.length === FAST, SLOW_MS);
    const fastDoneMeanwhile = running.reported.length;
    finish.resolve();
    await running.stop('wait', 5_000);
    return { facts: { fastDoneMeanwhile }, ...stage };
  },
};
