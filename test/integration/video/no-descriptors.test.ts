import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { runProgram } from '../../harness/run-program.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const SOURCE = pathToFileURL(join(import.meta.dirname, '../../../src/video/tools/child-process.ts')).href;

test('a tool that finds no descriptor left is a fault of the host, and the worker lives', async () => {
  await using folder = await temporaryFolder('no-descriptors');
  // An error that nobody hears would end this process, as it would the worker.
  const script = `
    import { openSync, closeSync } from 'node:fs';
    import { startLimited } from ${JSON.stringify(SOURCE)};
    const none = { cpuSeconds: null, memoryBytes: null };
    for (const options of [{}, { hasNotes: true }, { statusDescriptor: 3 }]) {
      const held = [];
      try {
        for (;;) held.push(openSync('/dev/null'));
      } catch {}
      const told = await startLimited('/bin/true', [], '/', none, options).then(() => 'started', ({ code }) => code);
      for (const descriptor of held) closeSync(descriptor);
      console.log(told);
    }`;
  await writeFile(folder.at('start.mjs'), script);
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', folder.at('start.mjs')];
  const ended = await runProgram('prlimit', ['--nofile=128', ...node]);
  expect(ended).toEqual({ code: 0, stdout: 'HOST_FAULT\n'.repeat(3), stderr: '' });
});
