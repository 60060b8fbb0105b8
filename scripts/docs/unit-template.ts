import { readFileSync, writeFileSync } from 'node:fs';

export const UNIT = 'systemd/video-worker.service';
export const TEMPLATE = 'systemd/video-worker@.service';

/** What is different in a unit of which each GPU has one: every line must be there exactly once. */
const DIFFERENCES: readonly (readonly [string, string])[] = [
  [
    '[Unit]\nDescription=GPU video worker\n',
    '# Written by `npm run docs` from video-worker.service, which says why each line is there.\n[Unit]\nDescription=GPU video worker on GPU %i\n',
  ],
  [
    'EnvironmentFile=/etc/video-worker/worker.env\n',
    '# The second file is for what one GPU alone has otherwise; it need not be there.\nEnvironmentFile=/etc/video-worker/worker.env\nEnvironmentFile=-/etc/video-worker/worker-%i.env\n',
  ],
  [
    'Environment=WORK_DIR=%C/video-worker/jobs\n',
    "Environment=WORK_DIR=%C/video-worker/%i/jobs\n# 1800 to 1809, then 18010 and so on; a HEALTH_PORT in worker.env is everybody's and wins, which then only the first can have.\nEnvironment=HEALTH_PORT=180%i\n",
  ],
  ['Environment=XDG_CACHE_HOME=%C/video-worker\n', 'Environment=XDG_CACHE_HOME=%C/video-worker/%i\n'],
  ['CacheDirectory=video-worker\n', 'CacheDirectory=video-worker/%i\n'],
  ['RuntimeDirectory=video-worker\n', 'RuntimeDirectory=video-worker/%i\n'],
  [
    'ExecStart=/opt/video-worker/scripts/start-worker\n',
    '# Not by Environment=, over which a GPU_DEVICE_ID in worker.env would win: then every instance had the same GPU.\nExecStart=/usr/bin/env GPU_DEVICE_ID=%i /opt/video-worker/scripts/start-worker\n',
  ],
];

/** The template of the unit: the same but for its differences. Throws when the unit has no longer a line that is to be another. */
export function templateOf(unit: string): string {
  return DIFFERENCES.reduce((text, [from, to]) => {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`${UNIT} has not exactly one ${JSON.stringify(from)}`);
    return parts.join(to);
  }, unit);
}

/** Writes the template beside the unit; `root` ends with a slash. */
export function writeTemplate(root: URL): void {
  writeFileSync(new URL(TEMPLATE, root), templateOf(readFileSync(new URL(UNIT, root), 'utf8')));
}
