import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A planted file: every line of it is refused by this wall, or none is. */
export interface Plant {
  readonly file: string;
  readonly lines: readonly string[];
  readonly wall: RegExp | null;
}

/** A line of a planted file; `at` is its `file:line`. */
export interface PlantedLine {
  readonly at: string;
  readonly line: string;
  readonly wall: RegExp | null;
}

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

/** The rules that a plant can break. */
const WALLS = ['walls(rooms)', 'walls(globals)', 'import(no-cycle)'];

export function plant(file: string, lines: readonly string[], wall: RegExp | null): Plant {
  return { file, lines, wall };
}

/** A line of its own for every name, so that no two declare the same. */
export function importLine(name: string, index: number): string {
  return `import * as value${index} from '${name}';`;
}

export function linesOf({ file, lines, wall }: Plant): readonly PlantedLine[] {
  return lines.map((line, index) => ({ at: `${file}:${index + 1}`, line: `${file}: ${line}`, wall }));
}

/** What the project's linter says of the plants, by `file:line`. They stand in a folder of their own, which is gone afterwards. */
export async function lintPlants(plants: readonly Plant[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const copy = await mkdtemp(join(tmpdir(), 'walls-'));
  try {
    await cp('scripts/lint', join(copy, 'scripts/lint'), { recursive: true });
    // The project's own rules. Types are left out: they take long, and no wall is made of them.
    const { options: _, ...config } = JSON.parse(await readFile('.oxlintrc.json', 'utf8')) as Record<string, unknown>;
    await writeFile(join(copy, '.oxlintrc.json'), JSON.stringify(config));
    for (const { file, lines } of plants) {
      await mkdir(dirname(join(copy, file)), { recursive: true });
      await writeFile(join(copy, file), `${lines.join('\n')}\n`);
    }
    return await lint(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function lint(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const output = await new Promise<string>((done, fail) => {
    const oxlint = join(process.cwd(), 'node_modules/oxlint/bin/oxlint');
    const options = { cwd: folder, maxBuffer: 1 << 28 };
    execFile(process.execPath, [oxlint, '--format=json'], options, (error, stdout, stderr) => {
      // It exits with 1 where it has something to say.
      if (error === null || error.code === 1) done(stdout);
      else fail(new Error(`oxlint failed: ${stderr}`, { cause: error }));
    });
  });
  const { diagnostics } = JSON.parse(output) as { diagnostics: readonly Diagnostic[] };
  const said = new Map<string, string[]>();
  for (const { code, message, filename, labels } of diagnostics) {
    if (!WALLS.includes(code)) continue;
    const at = `${filename}:${labels[0]!.span.line}`;
    said.set(at, [...(said.get(at) ?? []), message]);
  }
  return said;
}
