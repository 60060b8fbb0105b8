/** The tables of findings, and the facts of the video and of the run that made them. */
export const TABLES = ['video', 'person_tracks', 'observations', 'person_overlaps', 'action_events', 'scenes'] as const;
export type Table = (typeof TABLES)[number];

export type Value = string | number | boolean | null | readonly string[];
/** A row by its columns, but for those that two runs of one clip do not share. */
export type Row = Readonly<Record<string, Value>>;

/** What one run leaves in the database. */
export type ResultSet = Readonly<Record<Table, readonly Row[]>>;

/** Where rows of two runs are compared with each other: the columns that say what a row is about. */
const ABOUT: Readonly<Record<Table, readonly string[]>> = {
  video: [],
  person_tracks: ['track'],
  observations: ['frame_index', 'track', 'class'],
  person_overlaps: ['frame_index', 'track_a', 'track_b'],
  action_events: ['frame_index', 'track', 'type'],
  scenes: ['frame_index'],
};
const TOLD_PER_TABLE = 3;

/** Of what kind a difference is: `more` rows than should be, or fewer or others. */
export interface Difference {
  readonly kind: 'more' | 'other';
  readonly text: string;
}

/** What is not as it should be, in words that name the table, the row and the column; a few for each table. */
export function differences(is: ResultSet, should: ResultSet): Difference[] {
  return TABLES.flatMap((table) => {
    const found = tableDifferences(table, is[table], should[table]);
    const rest = found.length - TOLD_PER_TABLE;
    if (rest <= 0) return found;
    return [...found.slice(0, TOLD_PER_TABLE), { kind: 'other' as const, text: `${table}: ${rest} more differences` }];
  });
}

function tableDifferences(table: Table, is: readonly Row[], should: readonly Row[]): Difference[] {
  const [rows, expected] = [byAbout(table, is), byAbout(table, should)];
  const found: Difference[] = [];
  for (const about of new Set([...rows.keys(), ...expected.keys()])) {
    const [mine, others] = [rows.get(about) ?? [], expected.get(about) ?? []];
    const name = `${table}${about === '' ? '' : ` (${about})`}`;
    if (mine.length !== others.length) {
      const kind = mine.length > others.length ? 'more' : 'other';
      found.push({ kind, text: `${name}: ${mine.length} rows, undisturbed ${others.length}` });
      continue;
    }
    for (const [index, row] of mine.entries()) found.push(...rowDifferences(name, row, others[index] ?? {}));
  }
  return found;
}

/** Rows by what they are about, those about the same in one order. */
function byAbout(table: Table, rows: readonly Row[]): Map<string, Row[]> {
  const grouped = Map.groupBy(rows, (row) => ABOUT[table].map((name) => `${name} ${String(row[name])}`).join(', '));
  const text = (row: Row): string => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const group of grouped.values()) group.sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return grouped;
}

function rowDifferences(name: string, row: Row, should: Row): Difference[] {
  return [...new Set([...Object.keys(row), ...Object.keys(should)])]
    .filter((column) => JSON.stringify(row[column]) !== JSON.stringify(should[column]))
    .map((column) => ({
      kind: 'other',
      text: `${name}: ${column} ${JSON.stringify(row[column])}, undisturbed ${JSON.stringify(should[column])}`,
    }));
}
