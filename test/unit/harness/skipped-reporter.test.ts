import { afterEach, expect, jest, test } from '@jest/globals';
import SkippedReporter from '../../harness/skipped-reporter.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const result = (status: string, ...titles: readonly string[]) => ({
  status,
  title: titles.at(-1)!,
  ancestorTitles: titles.slice(0, -1),
  fullName: titles.join(' '),
});

test('what was skipped is told by reason, the innermost first', () => {
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const testResults = [
    result('passed', 'ran (no reason)'),
    result('pending', 'the street pack (no files)', 'a'),
    result('pending', 'the street pack (no files)', 'b'),
    result('pending', 'the street pack (no files)', 'c (no GPU)'),
    result('pending', 'left out'),
  ];
  new SkippedReporter().onRunComplete(undefined, { testResults: [{ testResults }] });
  expect(write.mock.calls.map(([text]) => text)).toEqual([
    'skipped 2: no files\n',
    'skipped 1: no GPU\n',
    'skipped 1: "left out", which gives no reason\n',
  ]);
});
