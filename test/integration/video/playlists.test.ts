import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { mediaFolder } from '../../harness/media.ts';
import { runProgram } from '../../harness/run-program.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';
import { plainProbe } from '../../harness/footage.ts';

const SECRET = 'aws_secret_access_key=never-to-be-seen';
const never = new AbortController().signal;
const limits = SMALL_VIDEO_LIMITS;
const decoding = SMALL_VIDEO_DECODING;
const CLAIMED = plainProbe({
  container: 'mov,mp4',
  codec: 'h264',
  width: 64,
  height: 48,
  rotation: 0,
  frameRate: 10,
  durationSeconds: 5,
  sizeBytes: 100,
});

let folder: TemporaryFolder;
let tools: FfmpegTools;
let canary: Server;
let address: string;
let requests: string[] = [];

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  await writeFile(folder.at('secret'), SECRET);
  canary = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.statusCode = 404;
    response.end();
  });
  canary.listen(0, '127.0.0.1');
  await once(canary, 'listening');
  address = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests = [];
});
afterAll(async () => {
  canary.close();
  await folder.remove();
});

const hls = (entry: string): string => `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${entry}\n#EXT-X-ENDLIST\n`;
const concat = (entry: string): string => `ffconcat version 1.0\nfile '${entry}'\n`;

describe.each<[string, (entry: string) => string, string]>([
  ['an HLS playlist', hls, 'hls.mp4'],
  ['an HLS playlist named .avi', hls, 'hls.avi'],
  ['a concat script', concat, 'concat.mp4'],
])('%s', (_name, text, name) => {
  test.each<[string, () => string]>([
    ['an address on this host', () => `${address}/segment.ts`],
    ['a file of this host', () => `file://${folder.at('secret')}`],
  ])('that names %s is refused, and nothing it names is read', async (_what, entry) => {
    const file = folder.at(name);
    await writeFile(file, text(entry()));
    const probed: unknown = await probeVideo(tools, file, limits, never).catch((reason: unknown) => reason);
    expect(probed).toMatchObject({ code: 'VIDEO_FORMAT_FORBIDDEN', class: 'permanent' });
    // The decoder has the same rules, should a file ever get past the probe.
    const decoded: unknown = await decodeFrames(tools, file, CLAIMED, decoding, never)
      .next()
      .catch((reason: unknown) => reason);
    expect(decoded).toMatchObject({ code: 'VIDEO_NO_FRAMES' });
    for (const failure of [probed, decoded]) expect(inspect(failure, { depth: 10 })).not.toContain('never-to-be-seen');
    expect(requests).toEqual([]);
  });
});

test('the same playlist makes an ffprobe without our rules call the address', async () => {
  const file = folder.at('open.m3u8');
  await writeFile(file, hls(`${address}/segment.ts`));
  const allowed = ['-v', 'quiet', '-protocol_whitelist', 'file,http,tcp', '-i', file];
  await runProgram(tools.ffprobe, allowed);
  expect(requests).toContain('/segment.ts');
});
