/** What somebody has started and has to end: a process, a server, a folder. */
interface Owned {
  readonly what: string;
  /** The test that ran when it was started; null for what hooks start. */
  readonly test: string | null;
  readonly end: () => Promise<void>;
}

const END_LIMIT_MS = 10_000;
const KEY = Symbol.for('test/harness/ownership');

/**
 * Who owns what: every starter of the harness notes here what it starts and strikes it out when it is ended. Jest's environment
 * makes one for each test file, asks after each test and at the end of the file what is left, ends that and names it.
 */
export class Ownership {
  readonly #owned = new Set<Owned>();
  /** The test that is running. */
  test: string | null = null;

  /** Notes a thing that was started. The answer ends it and may be called again: all calls get the one end. */
  own(what: string, end: () => Promise<void> | void): () => Promise<void> {
    let ended: Promise<void> | null = null;
    const thing: Owned = {
      what,
      test: this.test,
      end: () => {
        this.#owned.delete(thing);
        ended ??= (async () => await end())();
        return ended;
      },
    };
    this.#owned.add(thing);
    return thing.end;
  }

  /** Ends what a test has started and not ended (null: whatever is left) and says what it was, the newest first. */
  async endLeft(test: string | null): Promise<string[]> {
    const left = [...this.#owned].filter((thing) => test === null || thing.test === test).reverse();
    const said: string[] = [];
    for (const { what, end } of left) said.push(`${what}${await outcome(end)}`);
    return said;
  }
}

/** Notes a thing in the books of the test file, or of the program, that runs. */
export function owned(what: string, end: () => Promise<void> | void): () => Promise<void> {
  return currentOwnership().own(what, end);
}

/** Where the books lie in a test file's global object. */
export const OWNERSHIP = KEY;

function currentOwnership(): Ownership {
  const realm = globalThis as { [KEY]?: Ownership };
  return (realm[KEY] ??= new Ownership());
}

/** Empty when it could be ended. */
async function outcome(end: () => Promise<void>): Promise<string> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(` (and did not end within ${END_LIMIT_MS / 1_000} s)`), END_LIMIT_MS);
  const ended = end().then(
    () => '',
    (error: unknown) => ` (and could not be ended: ${String(error)})`,
  );
  const said = await Promise.race([ended, late.promise]);
  clearTimeout(timer);
  return said;
}
