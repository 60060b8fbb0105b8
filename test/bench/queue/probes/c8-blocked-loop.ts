import { eventually, takeStage, type Probe } from './probe.ts';

const LEASE_SECONDS = 2;

/** The process stands still past its lease and a competitor gets the message: the first must not report success as well. */
export const blockedLoopProbe: Probe = {
  id: 'C8',
  title: 'an event loop that stands still past the lease',
  right: { competitorGotIt: true, reportedSuccess: false },
  async run(contender, arena) {
    let competitorGotIt = false;
    const queue = Promise.withResolvers<string>();
    const ended = Promise.withResolvers<void>();
    const stage = await takeStage(contender, arena, ['a'], {
      leaseSeconds: LEASE_SECONDS,
      handle: async (_job, control) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LEASE_SECONDS * 1_000 + 500);
        competitorGotIt = (await arena.receive(await queue.promise, 5)) === 1;
        try {
          await control.confirm();
        } finally {
          ended.resolve();
        }
      },
    });
    const { running, queueUrl } = stage;
    queue.resolve(queueUrl);
    await ended.promise;
    await eventually(() => running.reported.length > 0, 1_000);
    await running.stop('wait', 1_000);
    return { facts: { competitorGotIt, reportedSuccess: running.reported.length > 0 }, ...stage };
  },
};
