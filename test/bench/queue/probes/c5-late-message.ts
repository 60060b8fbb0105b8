import { pause, takeStage, type Probe } from './probe.ts';

/** A message that the open long poll brings after the stop began is given back and not started. */
export const lateMessageProbe: Probe = {
  id: 'C5',
  title: 'a message that arrives in the open poll after stop began',
  right: { started: 0, visibleAtOnce: true },
  async run(contender, arena) {
    let started = 0;
    const stage = await takeStage(contender, arena, [], {
      waitSeconds: 3,
      leaseSeconds: 600,
      handle: async () => {
        started += 1;
        await pause(1_000);
      },
    });
    const { running, queueUrl } = stage;
    await running.watch.receiving;
    const stopping = running.stop('wait', 10_000);
    await arena.send(queueUrl, ['late']);
    await running.watch.delivered;
    await stopping;
    // A consumer that starts it does so by now, in the turn after the delivery.
    await pause(100);
    return { facts: { started, visibleAtOnce: (await arena.receive(queueUrl, 1)) === 1 }, ...stage };
  },
};
