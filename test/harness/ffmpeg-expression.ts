type Scope = {
  readonly n: number;
  readonly t: number;
  readonly registers: number[];
};
type Node = (scope: Scope) => number;

const flag = (isTrue: boolean): number => (isTrue ? 1 : 0);

/** Functions whose arguments are all evaluated, as ffmpeg's manual describes them. */
const PLAIN: Readonly<Record<string, (a: number, b: number) => number>> = {
  abs: (a) => Math.abs(a),
  eq: (a, b) => flag(a === b),
  floor: (a) => Math.floor(a),
  gt: (a, b) => flag(a > b),
  gte: (a, b) => flag(a >= b),
  isnan: (a) => flag(Number.isNaN(a)),
  lt: (a, b) => flag(a < b),
  lte: (a, b) => flag(a <= b),
  max: (a, b) => (a > b ? a : b),
  min: (a, b) => (a < b ? a : b),
  mod: (a, b) => a - Math.floor(a / b) * b,
  // Halves go away from zero.
  round: (a) => Math.sign(a) * Math.floor(Math.abs(a) + 0.5),
};

/** An expression of ffmpeg's, as far as the tests need it, to be evaluated frame by frame with registers that last. */
export class FfmpegExpression {
  readonly #tokens: readonly string[];
  #at = 0;
  readonly #root: Node;
  readonly #registers: number[] = Array.from({ length: 10 }, () => 0);

  constructor(text: string) {
    this.#tokens = text.match(/\d+(?:\.\d+)?(?:e-?\d+)?|[a-zA-Z]+|[-+*/();,]/g) ?? [];
    if (this.#tokens.join('') !== text) throw new SyntaxError(`not understood: ${text}`);
    this.#root = this.#sequence();
    if (this.#at !== this.#tokens.length) throw new SyntaxError(`not understood from ${this.#tokens[this.#at]}`);
  }

  /** The value for frame `n` of time `t`, NaN where it has none. */
  evaluate(n: number, t: number): number {
    return this.#root({ n, t, registers: this.#registers });
  }

  #next(): string {
    return this.#tokens[this.#at++] ?? '';
  }

  #accept(...tokens: readonly string[]): string | null {
    return tokens.includes(this.#tokens[this.#at] ?? '') ? this.#next() : null;
  }

  #sequence(): Node {
    let left = this.#sum();
    while (this.#accept(';') !== null) {
      const [before, after] = [left, this.#sum()];
      left = (scope) => (before(scope), after(scope));
    }
    return left;
  }

  #sum(): Node {
    let left = this.#product();
    for (let sign = this.#accept('+', '-'); sign !== null; sign = this.#accept('+', '-')) {
      const [a, b, factor] = [left, this.#product(), sign === '+' ? 1 : -1];
      left = (scope) => a(scope) + factor * b(scope);
    }
    return left;
  }

  #product(): Node {
    let left = this.#value();
    for (let sign = this.#accept('*', '/'); sign !== null; sign = this.#accept('*', '/')) {
      const [a, b] = [left, this.#value()];
      left = sign === '*' ? (scope) => a(scope) * b(scope) : (scope) => a(scope) / b(scope);
    }
    return left;
  }

  #value(): Node {
    if (this.#accept('-') !== null) {
      const value = this.#value();
      return (scope) => -value(scope);
    }
    if (this.#accept('(') !== null) {
      const inner = this.#sequence();
      if (this.#next() !== ')') throw new SyntaxError('a bracket is not closed');
      return inner;
    }
    const token = this.#next();
    if (/^\d/.test(token)) return () => Number(token);
    if (token === 'N') return ({ n }) => n;
    if (token === 'T') return ({ t }) => t;
    return this.#call(token);
  }

  #call(name: string): Node {
    const zero: Node = () => 0;
    const [first = zero, second = zero, third = zero] = this.#arguments();
    if (name === 'if') return (scope) => (first(scope) === 0 ? third(scope) : second(scope));
    if (name === 'ld') return (scope) => scope.registers[first(scope)] ?? Number.NaN;
    if (name === 'st') return (scope) => (scope.registers[first(scope)] = second(scope));
    const plain = PLAIN[name];
    if (plain === undefined) throw new SyntaxError(`no function ${name}`);
    return (scope) => plain(first(scope), second(scope));
  }

  #arguments(): readonly Node[] {
    const found: Node[] = [];
    if (this.#next() !== '(') throw new SyntaxError('a name without a bracket');
    do found.push(this.#sequence());
    while (this.#accept(',') !== null);
    if (this.#next() !== ')') throw new SyntaxError('a bracket is not closed');
    return found;
  }
}
