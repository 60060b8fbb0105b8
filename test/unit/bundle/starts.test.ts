import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** Sets the allocator, which Node cannot do for itself; test/integration/setup/commands.test.ts sees it do so. */
const LAUNCHER = 'scripts/setup-lib/run-node.sh';

test.each([
  ['scripts/start-worker', LAUNCHER],
  ['scripts/video-worker', LAUNCHER],
  // Each of the others passes through one of these two.
  ['systemd/video-worker.service', 'ExecStart=/opt/video-worker/scripts/start-worker'],
  ['scripts/bundle/stage.ts', "'scripts/start-worker'"],
  ['scripts/bundle/stage.ts', "'scripts/video-worker'"],
  ['scripts/bundle/stage.ts', `'${LAUNCHER}'`],
  ['scripts/demo-run/daemon.ts', "'scripts/start-worker'"],
  ['package.json', '"start": "scripts/start-worker"'],
  ['package.json', '"start-worker": "scripts/start-worker"'],
  ['package.json', '"video-worker": "scripts/video-worker"'],
])('%s starts the worker through %s, where the allocator is set', (file, way) => {
  expect(readFileSync(file, 'utf8')).toContain(way);
});
