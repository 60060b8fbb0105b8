import { describe, expect, test } from '@jest/globals';

import { MetricsRegistry } from '../../../src/telemetry/metrics.ts';
import { createWorkerMetrics } from '../../../src/telemetry/worker-metrics.ts';

describe('MetricsRegistry', () => {
  test('renders counters, gauges and cumulative histograms', () => {
    const registry = new MetricsRegistry();
    const jobs = registry.counter('jobs_total', 'Jobs');
    jobs.add({ outcome: 'ack' });
    jobs.add({ outcome: 'ack' }, 2);
    registry.gauge('slots', 'Slots').set(4);
    registry.gaugeOf('age', 'Age', () => null);
    const seconds = registry.histogram('seconds', 'Seconds', [1, 10]);
    for (const value of [0.5, 1, 5, 50]) seconds.observe(value);
    expect(registry.render().split('\n')).toEqual([
      '# HELP jobs_total Jobs',
      '# TYPE jobs_total counter',
      'jobs_total{outcome="ack"} 3',
      '# HELP slots Slots',
      '# TYPE slots gauge',
      'slots 4',
      '# HELP age Age',
      '# TYPE age gauge',
      '# HELP seconds Seconds',
      '# TYPE seconds histogram',
      'seconds_bucket{le="1"} 2',
      'seconds_bucket{le="10"} 3',
      'seconds_bucket{le="+Inf"} 4',
      'seconds_sum 56.5',
      'seconds_count 4',
      '',
    ]);
  });

  test('escapes label values and never counts down', () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter('c', 'C');
    counter.add({ key: 'a"b\\c\nd' }, 5);
    counter.add({ key: 'a"b\\c\nd' }, -3);
    expect(registry.render()).toContain('c{key="a\\"b\\\\c\\nd"} 5');
  });

  test('refuses a name that is there and a name that is none', () => {
    const registry = new MetricsRegistry();
    registry.gauge('a', 'A');
    expect(() => registry.counter('a', 'A')).toThrow('the metric a is there twice');
    expect(() => registry.counter('a-b', 'A')).toThrow('"a-b" is not a metric name');
  });
});

test('the worker metrics count jobs by outcome and failures by code, and read the sources when asked', () => {
  let busy = 0;
  using metrics = createWorkerMetrics({
    slots: 2,
    busySlots: () => busy,
    waiting: () => 0,
    leases: () => 3,
    pollAgeMs: () => 1500,
  });
  metrics.jobEnded('ack', 12);
  metrics.jobEnded('reject', 1);
  metrics.failed({ class: 'permanent', code: 'NOT_A_VIDEO' }, 'probe');
  metrics.circuit('database', true);
  metrics.stageSpent('detection', 0.25);
  busy = 2;
  const text = metrics.registry.render();
  expect(text).toContain('video_worker_jobs_total{outcome="ack"} 1\n');
  expect(text).toContain('video_worker_failures_total{class="permanent",code="NOT_A_VIDEO",stage="probe"} 1\n');
  expect(text).toContain('video_worker_circuit_open{dependency="database"} 1\n');
  expect(text).toContain('video_worker_job_seconds_bucket{outcome="ack",le="15"} 1\n');
  expect(text).toContain('video_worker_slots_busy 2\n');
  expect(text).toContain('video_worker_poll_age_seconds 1.5\n');
  expect(text).toContain('video_worker_stage_seconds_total{stage="detection"} 0.25\n');
});
