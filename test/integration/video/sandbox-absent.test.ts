import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { judgeSandbox } from '../../../src/cli/preflight/decoder-sandbox.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { findSandbox, type SandboxChoice } from '../../../src/video/tools/find-sandbox.ts';
import { openTools } from '../../../src/video/tools/open-tools.ts';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { describeWithBubblewrap } from '../../harness/bubblewrap.ts';
import { makeSmallVideo, mediaFolder } from '../../harness/media.ts';
import { runProgram } from '../../harness/run-program.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const PATHS = { ffmpegPath: null, ffprobePath: null };
const SOURCE = pathToFileURL(join(import.meta.dirname, '../../../src/video/tools/open-tools.ts')).href;
let folder: TemporaryFolder;
let video: string;

beforeAll(async () => {
  folder = await mediaFolder();
  video = folder.at('video.mp4');
  await makeSmallVideo(video);
});
afterAll(() => folder.remove());

/** In place of bubblewrap. */
async function program(name: string, ...lines: readonly string[]): Promise<string> {
  await writeFile(folder.at(name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  return folder.at(name);
}

const BROKEN = [
  ['is not there', async () => '/nowhere/bwrap', /there is no bubblewrap/],
  [
    'is refused its namespaces',
    () => program('refused', 'echo "bwrap: Creating new namespace failed: Operation not permitted" >&2', 'exit 1'),
    /Creating new namespace failed/,
  ],
  ['is another program', () => program('other', 'exit 0'), /does not run in a sandbox/],
] as const;

describe.each(BROKEN)('where bubblewrap %s', (_, made, words) => {
  const question = async (choice: SandboxChoice): Promise<Parameters<typeof findSandbox>[1]> => ({
    choice,
    hidden: [],
    program: await made(),
  });

  test('auto goes on without, and says why', async () => {
    const { sandbox } = await openTools(PATHS, await question('auto'), never);
    expect(sandbox).toEqual({ choice: 'auto', inForce: null, problem: expect.stringMatching(words) as unknown });
    expect(sandbox && judgeSandbox(sandbox)).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining('bubblewrap') as unknown,
    });
  });

  test('require does not start, by a fault of the host', async () => {
    const refused = openTools(PATHS, await question('require'), never);
    await expect(refused).rejects.toMatchObject({
      code: 'HOST_FAULT',
      message: expect.stringMatching(words) as unknown,
    });
    const verdict = await findSandbox(await locateFfmpeg(PATHS), await question('require'), never);
    expect(judgeSandbox(verdict)).toMatchObject({
      status: 'fail',
      fix: expect.stringContaining('apt-get install') as unknown,
    });
  });

  test('off does not ask, and is told of', async () => {
    const { sandbox } = await openTools(PATHS, await question('off'), never);
    expect(sandbox).toEqual({ choice: 'off', inForce: null, problem: null });
    expect(sandbox && judgeSandbox(sandbox)).toMatchObject({ status: 'warn' });
  });
});

async function outcome(tools: FfmpegTools): Promise<string> {
  try {
    const info = await probeVideo(tools, video, SMALL_VIDEO_LIMITS, never);
    let frames = 0;
    for await (const { release } of decodeFrames(tools, video, info, SMALL_VIDEO_DECODING, never)) {
      release();
      frames += 1;
    }
    return `${frames > 0 ? 'frames' : 'none'} ${info.width}`;
  } catch (error) {
    const { class: kind, code, message } = error as { class: string; code: string; message: string };
    return `${kind} ${code} ${message}`;
  }
}

describeWithBubblewrap('with bubblewrap', () => {
  test('a host that is short of processes for a moment gets no weaker sandbox', async () => {
    const short = await program(
      'short',
      // One tool of the two: mkdir succeeds once.
      `if mkdir '${folder.at('was-short')}' 2>/dev/null; then`,
      'echo "bwrap: Creating new namespace failed: Resource temporarily unavailable" >&2',
      'exit 1',
      'fi',
      'exec bwrap "$@"',
    );
    const tools = await locateFfmpeg(PATHS);
    const question = { choice: 'auto', hidden: [] } as const;
    const { inForce } = await findSandbox(tools, { ...question, program: short }, never);
    const usual = await findSandbox(tools, question, never);
    expect(usual.inForce).not.toBeNull();
    expect(inForce && { ...inForce, program: usual.inForce?.program }).toEqual(usual.inForce);
  });

  test('a video is the same in the sandbox and without', async () => {
    const tools = await openTools(PATHS, { choice: 'require', hidden: [] }, never);
    expect(await outcome(tools)).toMatch(/^frames /);
    expect(await outcome(tools)).toBe(await outcome({ ...tools, sandbox: undefined }));
  });

  test.each([
    ['namespaces', 'Creating new namespace failed: nesting depth exceeded (ENOSPC)', /^system HOST_FAULT /],
    ['processes', 'Creating new namespace failed: Resource temporarily unavailable', /^system HOST_FAULT /],
    ['memory', 'Creating new namespace failed: Cannot allocate memory', /^system HOST_OUT_OF_MEMORY /],
    // The words are a text, and may be those of a file that is damaged.
    ['whatever', '[error] Invalid data found when processing input', /^system HOST_FAULT /],
  ])('a host that runs out of %s while videos come in is at fault, and no video', async (_, said, expected) => {
    const tools = await openTools(PATHS, { choice: 'require', hidden: [] }, never);
    const failing = await program('failing', `echo 'bwrap: ${said}' >&2`, 'exit 1');
    const inForce = tools.sandbox?.inForce ?? null;
    const sandbox = { choice: 'require', problem: null, inForce: inForce && { ...inForce, program: failing } } as const;
    expect(await outcome({ ...tools, sandbox })).toMatch(expected);
  });

  test('user namespaces that the kernel refuses are a problem of the host, which require names', async () => {
    const script = `
      import { openTools } from ${JSON.stringify(SOURCE)};
      const never = new AbortController().signal;
      for (const choice of ['auto', 'require', 'off']) {
        try {
          const { sandbox } = await openTools(${JSON.stringify(PATHS)}, { choice, hidden: [] }, never);
          console.log(choice, sandbox.inForce === null, sandbox.problem);
        } catch (error) {
          console.log(choice, error.code, error.message);
        }
      }`;
    await writeFile(folder.at('choices.mjs'), script);
    const node = `'${process.execPath}' --disable-warning=ExperimentalWarning '${folder.at('choices.mjs')}'`;
    const forbidden = `echo 0 > /proc/sys/user/max_user_namespaces && ${node}`;
    const { code, stdout, stderr } = await runProgram('unshare', [
      '--user',
      '--map-root-user',
      '/bin/sh',
      '-c',
      forbidden,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [auto, require, off] = stdout.trim().split('\n');
    expect(auto).toMatch(/^auto true .*namespace/);
    expect(require).toMatch(/^require HOST_FAULT DECODER_SANDBOX=require, and .*namespace.*install bubblewrap/);
    expect(off).toBe('off true null');
  });

  test('one of the versions that stable systems still have is used, and its own words are told', async () => {
    const older = (...lines: readonly string[]): readonly string[] => [
      'for option; do case "$option" in --) break;;',
      '  --disable-userns|--clearenv) echo "bwrap: Unknown option $option" >&2; exit 1;; esac; done',
      ...lines,
    ];
    const tools = await locateFfmpeg(PATHS);
    const works = await program('older', ...older('exec /usr/bin/bwrap "$@"'));
    const { inForce } = await findSandbox(tools, { choice: 'require', hidden: [], program: works }, never);
    expect(inForce).toMatchObject({ hasProc: true, forbidsMore: false });
    const refused = await program('older-refused', ...older('echo "bwrap: No permissions" >&2', 'exit 1'));
    const { problem } = await findSandbox(tools, { choice: 'auto', hidden: [], program: refused }, never);
    expect(problem).toContain('No permissions');
  });

  test.each([
    ['hides parts of /proc', 'mount -t proc proc /proc && mount --bind /dev/null /proc/kmsg', 'false'],
    ['hides other users', 'mount -t proc -o hidepid=2 proc /proc', 'true'],
  ])('a service that %s has its sandbox all the same', async (_, mounted, hasProc) => {
    const script = `
      import { openTools } from ${JSON.stringify(SOURCE)};
      const { sandbox } = await openTools(${JSON.stringify(PATHS)}, { choice: 'require', hidden: [] }, new AbortController().signal);
      console.log(sandbox.inForce.hasProc);`;
    await writeFile(folder.at('hidden.mjs'), script);
    const node = `'${process.execPath}' --disable-warning=ExperimentalWarning '${folder.at('hidden.mjs')}'`;
    const args = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '/bin/sh', '-c', `${mounted} && ${node}`];
    const { code, stdout, stderr } = await runProgram('unshare', args);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${hasProc}\n`, stderr: '' });
  });
});
