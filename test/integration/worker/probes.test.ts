import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openArena, type Arena } from '../../bench/queue/arena.ts';
import { ourWorker, type RunningWorker } from '../../bench/queue/our-worker.ts';
import { deadlineProbe } from '../../bench/queue/probes/c1-deadline.ts';
import { deletedElsewhereProbe } from '../../bench/queue/probes/c2-deleted-elsewhere.ts';
import { slowJobProbe } from '../../bench/queue/probes/c3-slow-job.ts';
import { stopWaitsProbe } from '../../bench/queue/probes/c4-stop-waits.ts';
import { lateMessageProbe } from '../../bench/queue/probes/c5-late-message.ts';
import { deleteWhileStoppingProbe } from '../../bench/queue/probes/c6-delete-while-stopping.ts';
import { stopDeadlineProbe } from '../../bench/queue/probes/c7-stop-deadline.ts';
import { blockedLoopProbe } from '../../bench/queue/probes/c8-blocked-loop.ts';
import type { Probe, ProbeRun } from '../../bench/queue/probes/probe.ts';

// The bench puts the same situations before sqs-consumer; here this worker has to be right in each, by its own events too.
let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
});
afterAll(async () => {
  await arena[Symbol.asyncDispose]();
});

async function right(probe: Probe): Promise<ProbeRun<RunningWorker>> {
  const run = await probe.run(ourWorker, arena);
  run.running.close();
  expect(run.facts).toEqual(probe.right);
  return run;
}

/** The events of one name, in order. */
function told({ running }: ProbeRun<RunningWorker>, wanted: string): object[] {
  return running.told.flatMap(({ name, event }) => (name === wanted ? [event] : []));
}

test('C1: a job over its deadline is aborted, ends once, and is never started twice at once', async () => {
  const run = await right(deadlineProbe);
  expect(told(run, 'job:returned')).toMatchObject([{ disposition: { kind: 'reject' } }]);
  expect(told(run, 'message:dead-lettered')).toMatchObject([{ code: 'JOB_DEADLINE' }]);
  expect(told(run, 'message:deleted')).toHaveLength(1);
  expect(await arena.left(run.queueUrl)).toBe(0);
  expect(await arena.left(run.deadLetterUrl)).toBe(1);
});

test('C2: a message that somebody deletes under a job aborts it, and no success is reported', async () => {
  const run = await right(deletedElsewhereProbe);
  expect(told(run, 'lease:lost')).toHaveLength(1);
  expect(told(run, 'message:deleted')).toEqual([]);
  expect(run.running.report).toMatchObject({ finished: 0, stuck: 0 });
});

test('C3: one slow job never holds up the fast ones', async () => {
  const run = await right(slowJobProbe);
  expect(told(run, 'job:returned').at(-1)).toMatchObject({ key: 'slow' });
  expect(await arena.left(run.queueUrl)).toBe(0);
});

test('C4: drain resolves only when the running job has ended and is deleted', async () => {
  const run = await right(stopWaitsProbe);
  expect(run.running.report).toMatchObject({ finished: 1, givenBack: 0, stuck: 0 });
  expect(run.running.worker.state).toBe('stopped');
});

test('C5: a message that the open poll brings after the drain began is given back and never started', async () => {
  const run = await right(lateMessageProbe);
  expect(run.running.report).toMatchObject({ finished: 0, givenBack: 1, stuck: 0 });
  expect(told(run, 'job:started')).toEqual([]);
});

test('C6: work that finishes during the drain is deleted, so it never runs again', async () => {
  const run = await right(deleteWhileStoppingProbe);
  // The job outlived its first lease: only renewals that go on while the worker drains (pitfall 19) let the delete count.
  expect(told(run, 'lease:renewed').length).toBeGreaterThan(0);
  expect(told(run, 'message:deleted')).toHaveLength(1);
  expect(run.running.report).toMatchObject({ finished: 1, givenBack: 0 });
});

test('C7: a job that outlives the drain deadline is aborted and its message visible at once', async () => {
  const run = await right(stopDeadlineProbe);
  expect(run.running.report).toMatchObject({ finished: 0, givenBack: 1, stuck: 0 });
});

test('C8: after a blocked event loop the fence asks SQS and finds that the message is gone', async () => {
  const run = await right(blockedLoopProbe);
  expect(told(run, 'job:returned')).toMatchObject([{ disposition: { kind: 'abandon', why: 'lease-lost' } }]);
  expect(told(run, 'message:deleted')).toEqual([]);
});
