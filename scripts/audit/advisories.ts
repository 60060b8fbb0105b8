import { spawn } from 'node:child_process';
import { once } from 'node:events';

const LIMIT_MS = 60_000;

export interface Advisories {
  /** A sentence for each package with a known fault. */
  readonly found: readonly string[];
  /** Why the registry did not answer; null when it did. */
  readonly unanswered: string | null;
}

interface Report {
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly severity: string; readonly range: string; readonly isDirect: boolean }>
  >;
  readonly message?: string;
  readonly error?: { readonly summary?: string; readonly code?: string };
}

/** Asks the registry, through npm, what is known against the locked packages. `npm`: the program, for tests. */
export async function askAdvisories(root: string, npm = 'npm'): Promise<Advisories> {
  const child = spawn(npm, ['audit', '--json', '--package-lock-only'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => (text[name] += part));
  }
  try {
    await once(child, 'close');
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'AbortError';
    return {
      found: [],
      unanswered: isLate ? `no answer within ${LIMIT_MS / 1_000} s` : `${npm} cannot be run: ${String(error)}`,
    };
  }
  return advisoriesOf(text.stdout, text.stderr);
}

/** What `npm audit --json` has printed. `otherwise` says why, where it printed nothing of use. */
export function advisoriesOf(stdout: string, otherwise: string): Advisories {
  let report: Report;
  try {
    report = JSON.parse(stdout) as Report;
  } catch {
    return { found: [], unanswered: otherwise.trim() || 'npm audit printed no report' };
  }
  if (report.vulnerabilities === undefined) {
    return {
      found: [],
      unanswered: report.message ?? report.error?.summary ?? report.error?.code ?? 'npm audit printed no report',
    };
  }
  const found = Object.entries(report.vulnerabilities).map(
    ([name, { severity, range, isDirect }]) =>
      `${name} ${range} has a known fault (${severity}${isDirect ? '' : ', through others'}): see npm audit`,
  );
  return { found, unanswered: null };
}
