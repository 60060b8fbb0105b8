export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Adds `by`, 1 when absent; never negative. */
  add(labels?: Labels, by?: number): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Samples as `suffix{labels} value` without the name. */
  samples(): readonly Sample[];
}

interface Sample {
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
}

const NAME = /^[a-z][a-z0-9_]*$/;

/** Metrics in Prometheus' text format (version 0.0.4). Labels must come from closed sets: each combination is kept forever. */
export class MetricsRegistry {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    const values = new LabelledValues();
    this.#add({ name, help, type: 'counter', samples: () => values.samples('') });
    return {
      add: (labels = {}, by = 1) => {
        if (by >= 0) values.update(labels, (value) => value + by);
      },
    };
  }

  gauge(name: string, help: string): Gauge {
    const values = new LabelledValues();
    this.#add({ name, help, type: 'gauge', samples: () => values.samples('') });
    return { set: (value, labels = {}) => values.update(labels, () => value) };
  }

  /** A gauge that is asked when the metrics are read; left out while it answers null. */
  gaugeOf(name: string, help: string, read: () => number | null): void {
    const samples = (): Sample[] => {
      const value = read();
      return value === null ? [] : [{ suffix: '', labels: {}, value }];
    };
    this.#add({ name, help, type: 'gauge', samples });
  }

  /** `bounds`: upper bounds of the buckets, ascending; +Inf is added. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const buckets = new LabelledValues();
    const sums = new LabelledValues();
    const counts = new LabelledValues();
    const edges = [...bounds, Number.POSITIVE_INFINITY];
    this.#add({
      name,
      help,
      type: 'histogram',
      samples: () => [...buckets.samples('_bucket'), ...sums.samples('_sum'), ...counts.samples('_count')],
    });
    return {
      observe: (value, labels = {}) => {
        for (const edge of edges) {
          buckets.update({ ...labels, le: edge === Number.POSITIVE_INFINITY ? '+Inf' : String(edge) }, (count) =>
            value <= edge ? count + 1 : count,
          );
        }
        sums.update(labels, (sum) => sum + value);
        counts.update(labels, (count) => count + 1);
      },
    };
  }

  render(): string {
    const lines: string[] = [];
    for (const family of this.#families.values()) {
      lines.push(`# HELP ${family.name} ${family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
      lines.push(`# TYPE ${family.name} ${family.type}`);
      for (const { suffix, labels, value } of family.samples()) {
        lines.push(`${family.name}${suffix}${renderLabels(labels)} ${value}`);
      }
    }
    return `${lines.join('\n')}\n`;
  }

  #add(family: Family): void {
    if (!NAME.test(family.name)) throw new TypeError(`"${family.name}" is not a metric name`);
    if (this.#families.has(family.name)) throw new TypeError(`the metric ${family.name} is there twice`);
    this.#families.set(family.name, family);
  }
}

class LabelledValues {
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  update(labels: Labels, change: (value: number) => number): void {
    const key = renderLabels(labels);
    const entry = this.#values.get(key) ?? { labels, value: 0 };
    entry.value = change(entry.value);
    this.#values.set(key, entry);
  }

  samples(suffix: string): Sample[] {
    return [...this.#values.values()].map(({ labels, value }) => ({ suffix, labels, value }));
  }
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
