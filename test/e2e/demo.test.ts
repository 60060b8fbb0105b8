import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Evaluation } from '../../src/evaluation/evaluate.ts';
import { evaluationAims } from '../../src/evaluation/aims.ts';
import { runProgram } from '../harness/run-program.ts';

test('the demo finds what the scene holds, and its last line says so', async () => {
  const { stdout } = await runProgram('scripts/demo', ['--json'], { env: process.env, timeoutMs: 280_000 });
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    ok: boolean;
    persons: unknown[];
    events: { highlight: unknown }[];
    scenes: unknown[];
    truth: Evaluation;
  };
  expect(result.ok).toBe(true);
  expect(result.persons).toHaveLength(7);
  expect(result.events.some(({ highlight }) => highlight !== null)).toBe(true);
  expect(result.scenes.length).toBeGreaterThanOrEqual(4);
  expect(evaluationAims(result.truth).filter(({ met }) => !met)).toEqual([]);
  const report = readFileSync('out/demo/report.html', 'utf8');
  expect(report).toContain('data:image/jpeg;base64,');
  expect(report).not.toMatch(/(src|href)="https?:/);
  expect(readdirSync('out/demo/work')).toEqual([]);
}, 300_000);
