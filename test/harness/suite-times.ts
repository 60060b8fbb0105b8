/** How long one test file took, from its start to its end in a worker. */
export interface FileTime {
  /** Relative to the project. */
  readonly file: string;
  readonly seconds: number;
}

const SLOWEST = 10;

/** Seconds of every suite (a folder of test/, of test/integration one below it) and the slowest files, as a table. */
export function renderSuiteTimes(times: readonly FileTime[], wallSeconds: number): string {
  const suites = [...Map.groupBy(times, ({ file }) => suiteOf(file))].map(([suite, files]) => ({
    suite,
    files: files.length,
    seconds: files.reduce((sum, { seconds }) => sum + seconds, 0),
  }));
  const all = suites.reduce((sum, { seconds }) => sum + seconds, 0);
  const slowest = times.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  return [
    `Seconds of each suite, of all its files together (${all.toFixed(0)} s in ${wallSeconds.toFixed(0)} s):`,
    ...suites
      .toSorted((a, b) => b.seconds - a.seconds)
      .map(({ suite, files, seconds }) => `${column(seconds)}  ${suite} (${files} ${files === 1 ? 'file' : 'files'})`),
    'The slowest files:',
    ...slowest.map(({ file, seconds }) => `${column(seconds)}  ${file}`),
    '',
  ].join('\n');
}

function suiteOf(file: string): string {
  const folders = file.split('/').slice(0, -1);
  return folders.slice(0, folders[1] === 'integration' ? 3 : 2).join('/');
}

function column(seconds: number): string {
  return seconds.toFixed(1).padStart(7);
}
