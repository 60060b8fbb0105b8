import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { runProgram } from '../../harness/run-program.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const limits = SMALL_VIDEO_LIMITS;
const options = SMALL_VIDEO_DECODING;
let folder: TemporaryFolder;
let tools: FfmpegTools;
let pointing: string;

/** A QuickTime file whose own samples are zeroes and whose track says that they lie in another file of this host. */
function pointingAt(movie: Buffer, path: string): Buffer {
  // Volume, names and levels of an alias record, all empty: only its absolute path counts then.
  const alias = Buffer.alloc(150);
  const name = Buffer.from(path.length % 2 === 1 ? `${path}\0` : path);
  const record = Buffer.alloc(4);
  // Field 2 of an alias record: the absolute path. Field -1 ends it.
  record.writeInt16BE(2, 0);
  record.writeUInt16BE(name.length, 2);
  const end = Buffer.from([0xff, 0xff, 0, 0]);
  const body = Buffer.concat([alias, record, name, end]);
  const head = Buffer.alloc(12);
  head.writeUInt32BE(12 + body.length, 0);
  head.write('alis', 4, 'latin1');
  const dref = movie.indexOf('dref');
  // Past name, version and count of the box: its one entry, which says "in this file".
  const entry = dref + 12;
  const old = movie.readUInt32BE(entry);
  const made = Buffer.concat([movie.subarray(0, entry), head, body, movie.subarray(entry + old)]);
  for (const box of ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref']) {
    const size = made.lastIndexOf(box, dref) - 4;
    made.writeUInt32BE(made.readUInt32BE(size) + head.length + body.length - old, size);
  }
  const data = made.indexOf('mdat');
  made.fill(0, data + 4, made.indexOf('moov') - 4);
  return made;
}

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const secret = folder.at('secret.mov');
  await makeMedia([...testSource({ seconds: 2 }), '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', secret]);
  pointing = folder.at('pointing.mov');
  await writeFile(pointing, pointingAt(await readFile(secret), secret));
});
afterAll(() => folder.remove());

test('a track that lies in another file of the host is not read from there', async () => {
  const attempt = async (): Promise<number> => {
    const info = await probeVideo(tools, pointing, limits, never);
    let frames = 0;
    for await (const _frame of decodeFrames(tools, pointing, info, options, never)) frames += 1;
    return frames;
  };
  await expect(attempt()).rejects.toMatchObject({ class: 'permanent' });
});

test('the same file makes an ffmpeg that may follow it show the other one', async () => {
  const follow = ['-v', 'error', '-enable_drefs', '1', '-use_absolute_path', '1', '-i', pointing];
  const { stdout } = await runProgram(tools.ffmpeg, [...follow, '-f', 'framemd5', '-']);
  expect(stdout.split('\n').filter((line) => line.startsWith('0,'))).toHaveLength(20);
});
