import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { TEMPLATE, templateOf, UNIT } from '../../../scripts/docs/unit-template.ts';

const unit = readFileSync(UNIT, 'utf8');
const template = readFileSync(TEMPLATE, 'utf8');

const settings = (text: string): string[] => text.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));

test('the template is what `npm run docs` makes of the unit', () => {
  expect(template).toBe(templateOf(unit));
});

test('all that an instance has otherwise names the instance', () => {
  const [one, each] = [settings(unit), settings(template)];
  expect(each.filter((line) => !one.includes(line)).filter((line) => !line.includes('%i'))).toEqual([]);
  expect(one.filter((line) => !each.includes(line)).map((line) => line.split('=')[0])).toEqual([
    'Description',
    'Environment',
    'Environment',
    'CacheDirectory',
    'RuntimeDirectory',
    'ExecStart',
  ]);
});

test('every GPU of a host has a port of its own, and one that exists', () => {
  const port = /^Environment=HEALTH_PORT=(.*)$/m.exec(template)?.[1] ?? '';
  const ports = Array.from({ length: 16 }, (_, gpu) => Number(port.replace('%i', String(gpu))));
  expect(new Set(ports).size).toBe(16);
  expect(Math.min(...ports)).toBeGreaterThan(1_023);
  expect(Math.max(...ports)).toBeLessThan(65_536);
});

test('a unit that has lost a line of its own is refused', () => {
  expect(() => templateOf(unit.replace('CacheDirectory=video-worker\n', ''))).toThrow(/CacheDirectory/);
});
