import type { Key, Need } from './key.ts';
import { KEYS } from './keys.ts';
import { REPLACED } from './replaced.ts';
import { brokenRules } from './rules.ts';
import { fileVariable, givenSecret, type SecretFile, secretFileOf } from './secret-file.ts';
import type { Config } from './values.ts';
import { Failure } from '../failure/failure.ts';

export type { Config } from './values.ts';
export type { Need } from './key.ts';

type AnyKey = Key<unknown, Need>;
type Variables = Readonly<Record<string, string | undefined>>;

export interface LoadOptions<N extends Need> {
  /** The parts whose variables this command cannot do without. */
  readonly needs?: readonly N[];
  /** What absent variables mean to this command, where that is not their general default. */
  readonly defaults?: Variables;
}

/**
 * Reads and checks the environment, and the files that it names for secrets. Throws one `Failure('CONFIG_INVALID')` that lists every mistake with variable,
 * value (secrets masked) and rule.
 */
export function loadConfig<const N extends Need = never>(env: Variables, options: LoadOptions<N> = {}): Config<N> {
  const needs = new Set<Need>(options.needs ?? []);
  const defaults = options.defaults ?? {};
  const problems = replacedIn(env);
  const sections = Object.entries(KEYS).map(([section, keys]) => {
    const entries = Object.entries(keys).map(([field, key]) => [
      field,
      readKey(defaulted(key as AnyKey, defaults, env), env, needs, problems),
    ]);
    return [section, Object.freeze(Object.fromEntries(entries) as Record<string, unknown>)] as const;
  });
  const config = Object.freeze(Object.fromEntries(sections)) as unknown as Config<N>;
  // With an unreadable value the rules between variables would only repeat the mistake.
  if (problems.length === 0) problems.push(...brokenRules(config, needs));
  if (problems.length > 0) {
    throw new Failure(
      'CONFIG_INVALID',
      `the configuration is not valid:\n${problems.map((line) => `  ${line}`).join('\n')}`,
      {
        details: { problems: problems.length },
      },
    );
  }
  return config;
}

/** A setting that no longer does anything is refused: going on without it would do something else than was asked for. */
function replacedIn(env: Variables): string[] {
  return Object.entries(REPLACED).flatMap(([name, successor]) =>
    (env[name] ?? '').trim() === '' ? [] : [`${name} does nothing any more: set ${successor} in its place`],
  );
}

function defaulted(key: AnyKey, defaults: Variables, env: Variables): AnyKey {
  const fallback = defaults[key.name] ?? key.derive?.(env);
  return fallback === undefined ? key : { ...key, fallback };
}

function readKey(key: AnyKey, env: Variables, needs: ReadonlySet<Need>, problems: string[]): unknown {
  const isUsed = [...key.neededBy, ...key.usedBy].some((need) => needs.has(need));
  const given = key.isSecret ? secretText(key.name, env, isUsed ? problems : null) : variable(key.name, env);
  if (given === UNREADABLE) return null;
  const value = given ?? key.fallback;
  if (value === null) {
    const asking = key.neededBy.filter((need) => needs.has(need));
    const or = key.isSecret ? `, or ${fileVariable(key.name)} a file that holds it` : '';
    if (asking.length > 0) problems.push(`${key.name} is not set: it must be ${key.rule}${or}`);
    return null;
  }
  const parsed = key.parse(value);
  if (parsed === undefined) {
    const file = key.isSecret ? secretFileOf(key.name, env) : null;
    const what =
      file === null
        ? `${key.name} is "${key.show(value).slice(0, 200)}"`
        : `what ${file.path} (${file.variable}) holds is wrong`;
    problems.push(`${what}: it must be ${key.rule}`);
    return null;
  }
  return Array.isArray(parsed) ? Object.freeze(parsed) : parsed;
}

/** The files that these variables name for secrets. */
export function secretFilesIn(env: Variables): readonly SecretFile[] {
  const keys = Object.values(KEYS).flatMap((section): readonly AnyKey[] => Object.values(section) as AnyKey[]);
  return keys.filter(({ isSecret }) => isSecret).flatMap(({ name }) => secretFileOf(name, env) ?? []);
}

/** An empty variable counts as absent: environment files and unit files have no other way to unset one. */
function variable(name: string, env: Variables): string | null {
  const given = env[name]?.trim() ?? '';
  return given === '' ? null : given;
}

/** The problem with it is told already. */
const UNREADABLE = Symbol('unreadable');

/**
 * The secret, which stays out of every environment where a file holds it. `problems`: null for a command that has no use for it and goes on
 * without; the file may be for the service alone.
 */
function secretText(name: string, env: Variables, problems: string[] | null): string | typeof UNREADABLE | null {
  try {
    return givenSecret(name, env);
  } catch (error) {
    problems?.push(error instanceof Error ? error.message : String(error));
    return UNREADABLE;
  }
}
