import { expect, test } from '@jest/globals';
import { HEALTH_PATHS } from '../../../src/telemetry/health-server.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { WorkerEventBus } from '../../../src/worker/events.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { namesIn, readPage, tableBelow } from './pages.ts';

const page = readPage('docs/operations.md');

/** The names in the first column of the table below a heading. */
function namesBelow(heading: string): readonly string[] {
  return tableBelow(page, heading).flatMap(([names = '']) => namesIn(names));
}

test('the endpoints are those of the server', () => {
  expect(new Set(namesBelow('Health'))).toEqual(new Set(HEALTH_PATHS));
});

test('the fields of the statistics are those of the summary', () => {
  const statistics = new Statistics(
    new WorkerEventBus(createLogger({ level: 'silent', format: 'json', name: 'test' })),
  );
  expect(new Set(namesBelow('Statistics'))).toEqual(new Set(Object.keys(statistics.summary())));
});
