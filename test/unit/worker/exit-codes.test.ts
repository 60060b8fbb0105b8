import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import pino from 'pino';
import { PACK_TIMEOUT_MS } from '../../../src/cli/preflight/service-checks.ts';
import { EXTENSION_MS } from '../../../src/cli/start-wait.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { watchCrashes } from '../../../src/cli/crash-path.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { EXIT_CODES, EXIT_MEANINGS, exitCodeOf } from '../../../src/worker/exit-codes.ts';
import { watchSignals } from '../../../src/worker/signals.ts';

const failure = new Failure('GPU_LOST', 'gone');

test.each([
  [{ givenBack: 0, aborted: 0, stuck: 0, failure: null }, 'CLEAN'],
  // Its message could not be given back: that a job was cut short is said all the same.
  [{ givenBack: 0, aborted: 1, stuck: 0, failure: null }, 'GIVEN_BACK'],
  [{ givenBack: 2, aborted: 0, stuck: 0, failure: null }, 'GIVEN_BACK'],
  [{ givenBack: 2, aborted: 0, stuck: 1, failure: null }, 'STUCK'],
  [{ givenBack: 2, aborted: 0, stuck: 1, failure }, 'SYSTEM_FAILURE'],
  [{ givenBack: 0, aborted: 0, stuck: 0, failure }, 'SYSTEM_FAILURE'],
] as const)('the worst of %j decides: %s', (outcome, name) => {
  expect(exitCodeOf(outcome)).toBe(EXIT_CODES[name]);
});

test('every code has one meaning, and no two are alike', () => {
  expect(Object.keys(EXIT_MEANINGS)).toEqual(Object.keys(EXIT_CODES));
  expect(new Set(Object.values(EXIT_CODES)).size).toBe(Object.keys(EXIT_CODES).length);
});

/** The values of a key of the unit file. */
function unit(key: string): string[] {
  const lines = readFileSync('systemd/video-worker.service', 'utf8').split('\n');
  return lines.flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}

test('systemd does not start a wrong configuration again, takes a drain for success and starts everything else again', () => {
  const codes = (key: string): number[] => unit(key).flatMap((value) => value.split(' ').map(Number));
  expect(unit('Restart')).toEqual(['on-failure']);
  expect(codes('RestartPreventExitStatus')).toEqual([EXIT_CODES.USAGE]);
  expect(codes('SuccessExitStatus')).toEqual([EXIT_CODES.GIVEN_BACK]);
});

const restartSeconds = Number(unit('RestartSec')[0]);
const burst = Number(unit('StartLimitBurst')[0]);
const countedSeconds = 3_600 * Number(/^(\d+)h$/.exec(unit('StartLimitIntervalSec')[0] ?? '')?.[1]);

test('what fails at every start comes to rest: so many of the slowest starts fit into the time in which systemd counts them', () => {
  expect(countedSeconds).toBeGreaterThan(burst * (PACK_TIMEOUT_MS / 1_000 + restartSeconds));
});

test('what is only away never comes to rest: a start that waits for it is too long to be counted often', () => {
  const { worker } = loadConfig({}, { needs: [] });
  expect(burst * (worker.startWaitSeconds + restartSeconds)).toBeGreaterThan(countedSeconds);
  expect(worker.startWaitSeconds).toBeGreaterThanOrEqual(6 * 3_600);
});

test('a start that waits asks systemd for as much time as any start has', () => {
  expect(unit('TimeoutStartSec')).toEqual([`${EXTENSION_MS / 60_000}min`]);
});

test('the first stop signal drains, each further one hurries, a hang-up is ignored, and nobody listens afterwards', () => {
  const source = new EventEmitter();
  const heard: string[] = [];
  const unwatch = watchSignals(source, {
    onFirst: (signal) => heard.push(`first ${signal}`),
    onSecond: (signal) => heard.push(`second ${signal}`),
  });
  expect(source.emit('SIGHUP', 'SIGHUP')).toBe(true);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT']) source.emit(signal, signal);
  unwatch();
  expect(heard).toEqual(['first SIGINT', 'second SIGTERM', 'second SIGINT']);
  expect(source.eventNames()).toEqual([]);
});

test('an error that nothing caught gives back once and then exits, also when the giving back fails', async () => {
  const source = new EventEmitter();
  const steps: string[] = [];
  const exited = Promise.withResolvers<number>();
  using path = watchCrashes(source, pino({ level: 'silent' }), exited.resolve);
  path.giveBack = () => {
    steps.push('give back');
    return Promise.reject(new Error('the queue is away'));
  };
  source.emit('uncaughtException', new Error('first'));
  source.emit('unhandledRejection', new Error('second'));
  expect(await exited.promise).toBe(EXIT_CODES.CRASH);
  expect(steps).toEqual(['give back']);
});
