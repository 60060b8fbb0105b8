import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { openChain } from '../../../src/cli/open-parts.ts';
import { loadConfig } from '../../../src/config/config.ts';

const dir = mkdtempSync(join(tmpdir(), 'open-chain-'));
const logger = pino({ level: 'silent' });
const config = loadConfig({ MODEL_PACK: dir, CPU_THREADS: '1', HIGHLIGHT_ACTIONS: 'off' }, { needs: ['models'] });

beforeAll(() => {
  cpSync('models/demo', dir, { recursive: true });
  // The same size and the same meaning: only a hash can tell.
  const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as {
    language: { tokenizerConfig: { path: string } };
  };
  const path = join(dir, manifest.language.tokenizerConfig.path);
  writeFileSync(path, readFileSync(path, 'utf8').replace(': ', ':\t'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('a chain reads every byte of its pack, but not a second time after the preflight has done it', async () => {
  await expect(openChain(config, 'cpu', logger)).rejects.toMatchObject({ code: 'PACK_BROKEN' });
  const chain = await openChain(config, 'cpu', logger, { isVerified: true });
  await chain.close();
}, 60_000);
