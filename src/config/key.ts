/** A part of the program whose settings a command may need or do without. */
export type Need = 'queue' | 'database' | 'models' | 'object' | 'health';

export interface KeyDocs {
  /** Unit or form of the value: `seconds`, `bytes`, `URL`, `text`, `a | b`. */
  readonly unit: string;
  readonly description: string;
  /** Value in `.env.example` where there is no default, or where another one fits a local stack better. */
  readonly example?: string;
}

/** One environment variable: how it is read and what the documentation says about it. */
export interface Key<T, N extends Need = never> extends KeyDocs {
  readonly name: string;
  /** Text that stands in for an absent variable; null: the value is then null. */
  readonly fallback: string | null;
  /** What a value has to be, as the second half of a sentence: `must be ...`. */
  readonly rule: string;
  /** Nobody is to see the value, and a file may hold it in place of the variable: `NAME_FILE` names it. */
  readonly isSecret: boolean;
  /** Masks what must not be printed. */
  readonly show: (text: string) => string;
  /** The value, or undefined where the rule is broken. */
  readonly parse: (text: string) => T | undefined;
  /** Commands with one of these needs cannot do without a value. */
  readonly neededBy: readonly N[];
  /** Those besides that have a use for it, and so are to hear of a file that cannot be read. */
  readonly usedBy: readonly Need[];
  /** What stands in for an absent variable where that depends on others. */
  readonly derive?: (env: Readonly<Record<string, string | undefined>>) => string;
}

interface Form<T> {
  readonly unit: string;
  readonly rule: string;
  readonly parse: (text: string) => T | undefined;
  readonly show?: (text: string) => string;
}

interface Options<N extends Need> {
  readonly description: string;
  readonly example?: string;
  readonly neededBy?: readonly N[];
  readonly usedBy?: readonly Need[];
  readonly isSecret?: boolean;
}

/** A variable with a default. */
export function withDefault<T>(name: string, form: Form<T>, fallback: string, options: Options<never>): Key<T> {
  return make(name, form, fallback, options);
}

/** A variable without a default: null when absent, unless a need of the command asks for it. */
export function optional<T, N extends Need = never>(
  name: string,
  form: Form<T>,
  options: Options<N>,
): Key<T | null, N> {
  return make<T | null, N>(name, form, null, options);
}

function make<T, N extends Need>(name: string, form: Form<T>, fallback: string | null, options: Options<N>): Key<T, N> {
  const { description, example, neededBy, usedBy = [], isSecret = false } = options;
  return {
    name,
    fallback,
    unit: form.unit,
    rule: form.rule,
    parse: form.parse,
    isSecret,
    show: form.show ?? ((text) => text),
    description,
    neededBy: neededBy ?? [],
    usedBy,
    ...(example === undefined ? {} : { example }),
  };
}

/** A variable whose default depends on the environment, and so on the machine. */
export function withDerived<T>(
  name: string,
  form: Form<T>,
  derive: NonNullable<Key<T>['derive']>,
  options: Options<never>,
): Key<T> {
  return { ...make<T, never>(name, form, null, options), derive };
}
