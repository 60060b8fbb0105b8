import { expect, test } from '@jest/globals';
import pino from 'pino';
import { perStage } from '../../../src/chain/per-stage.ts';
import { countEvents, stageSecondsOf, tellDegraded } from '../../../src/cli/worker-health.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { createWorkerMetrics } from '../../../src/telemetry/worker-metrics.ts';
import { WorkerEventBus } from '../../../src/worker/events.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';
import { FakeChain } from '../../harness/fake-chain.ts';

test('what the worker tells is counted: outcomes as they were settled, failures with their stage, frames and models', () => {
  const events = new WorkerEventBus(pino({ level: 'silent' }));
  using metrics = createWorkerMetrics({
    slots: 1,
    busySlots: () => 0,
    waiting: () => 0,
    leases: () => 0,
    pollAgeMs: () => null,
  });
  countEvents(events, metrics);
  const job = { messageId: 'm', key: 'k', seconds: 3 } as const;
  const done = { kind: 'ack', outcome: 'completed' } as const;
  events.emit('job:settled', { ...job, disposition: done, settled: 'deleted' });
  events.emit('job:settled', { ...job, disposition: done, settled: 'lost' });
  const failure = new Failure('NETWORK', 'x', { stage: 'download' });
  events.emit('job:settled', {
    ...job,
    disposition: { kind: 'retry', afterSeconds: 1, failure },
    settled: 'given-back',
  });
  events.emit('message:rejected', { messageId: 'm', failure: new Failure('MESSAGE_NOT_JSON', 'x') });
  events.emit('circuit:open', { dependency: 'storage', forMs: 1 });
  events.emit('circuit:closed', { dependency: 'storage' });
  events.emit('video:analysed', { frames: 45, stageSeconds: { detection: 1.5 } });
  const hole = { stage: 'decode', code: 'FOOTAGE_MISSING', message: 'no frame came', fromSeconds: 1 } as const;
  tellDegraded(events, sampleAnalysis({ degraded: [hole, { ...hole, fromSeconds: 2 }] }));
  const text = metrics.registry.render();
  for (const line of [
    'video_worker_jobs_total{outcome="completed"} 1',
    'video_worker_jobs_total{outcome="lost-after-done"} 1',
    'video_worker_jobs_total{outcome="retry"} 1',
    'video_worker_job_seconds_bucket{outcome="completed",le="5"} 1',
    'video_worker_failures_total{class="temporary",code="NETWORK",stage="download"} 1',
    'video_worker_failures_total{class="permanent",code="MESSAGE_NOT_JSON",stage="message"} 1',
    'video_worker_circuit_open{dependency="storage"} 0',
    'video_worker_frames_total 45',
    'video_worker_degraded_total{stage="decode",code="FOOTAGE_MISSING"} 1',
    'video_worker_stage_seconds_total{stage="detection"} 1.5',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

test('the time inside the models is told once, however many videos share them', async () => {
  const chain = new FakeChain(() => []);
  let runMs = 1_000;
  const ask = stageSecondsOf({
    timings: async () => {
      const timings = await chain.timings();
      return { ...timings, detection: { ...timings.detection, runMs } };
    },
  });
  expect((await ask())['detection']).toBe(1);
  runMs = 1_250;
  expect((await ask())['detection']).toBe(0.25);
  expect(await ask()).toEqual(perStage(() => 0));
});
