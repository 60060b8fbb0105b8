import type { PreflightReport } from './run-preflight.ts';

const SIGNS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL', skipped: '-   ' } as const;

/** The report as lines for a terminal: a row per check, and under it what to do. */
export function preflightLines(report: PreflightReport): readonly string[] {
  const width = Math.max(...report.checks.map((check) => check.name.length));
  const indent = ' '.repeat(width + 7);
  const lines = report.checks.flatMap(({ name, status, detail, fix }) => [
    ...behind(`${SIGNS[status]} ${name.padEnd(width)}  `, detail, indent),
    ...(fix === null ? [] : behind(`${indent}-> `, fix, indent)),
  ]);
  const count = (status: string): number => report.checks.filter((check) => check.status === status).length;
  lines.push(
    `${report.ok ? 'ready' : 'not ready'}: ${count('fail')} failed, ${count('warn')} warning(s); the models run on ${report.device}`,
  );
  return lines;
}

function behind(start: string, text: string, indent: string): readonly string[] {
  const [first = '', ...others] = text.split('\n');
  return [`${start}${first}`, ...others.map((line) => `${indent}${line}`)];
}
