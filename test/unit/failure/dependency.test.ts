import { expect, test } from '@jest/globals';
import type { FailureCode } from '../../../src/failure/codes.ts';
import { answeredIn, dependencyOf } from '../../../src/failure/dependency.ts';
import { Failure } from '../../../src/failure/failure.ts';
import type { JobStage } from '../../../src/failure/stage.ts';

const failure = (code: FailureCode, stage: JobStage | null = null): Failure => new Failure(code, 'x', { stage });

test.each([
  ['NETWORK', 'head', 'storage'],
  ['TIMEOUT', 'download', 'storage'],
  ['THROTTLED', 'highlights', 'storage'],
  ['NETWORK', 'claim', 'database'],
  ['TIMEOUT', 'store', 'database'],
  ['DATABASE_UNAVAILABLE', 'download', 'database'],
  ['DATABASE_UNAVAILABLE', null, 'database'],
  ['THROTTLED', 'scene', 'bedrock'],
  ['SERVICE_UNAVAILABLE', 'scene', 'bedrock'],
  ['NETWORK', null, 'service'],
  ['NETWORK', 'probe', 'service'],
  ['CUDA_ERROR', 'scene', null],
  ['DATABASE_CONFLICT', 'store', null],
  ['UNKNOWN', 'head', 'host'],
  ['SCENE_FAILED', 'scene', null],
] as const)('%s at %s is a failure of %s', (code, stage, dependency) => {
  expect(dependencyOf(failure(code, stage))).toBe(dependency);
});

test('who answered follows from how far a job came', () => {
  expect(answeredIn({ kind: 'ack', outcome: 'completed' })).toContain('bedrock');
  expect(answeredIn({ kind: 'ack', outcome: 'duplicate' })).toEqual(['storage', 'database', 'service']);
  // S3 says that it is the mark of a folder, before the database is asked anything.
  expect(answeredIn({ kind: 'ack', outcome: 'ignored' })).toEqual(['storage', 'service']);
  expect(answeredIn({ kind: 'reject', failure: failure('OBJECT_NOT_FOUND', 'head') })).toEqual(['storage', 'service']);
  expect(answeredIn({ kind: 'reject', failure: failure('NOT_A_VIDEO', 'probe') })).toContain('database');
  expect(answeredIn({ kind: 'retry', afterSeconds: 1, failure: failure('DATABASE_UNAVAILABLE') })).toEqual([]);
});
