import { Client } from 'pg';
import type { Kill } from './fleet.ts';
import { TABLES, type ResultSet, type Row, type Table } from './result-set.ts';

export interface VideoState {
  readonly key: string;
  /** Null while the object of a request is not known. */
  readonly etag: string | null;
  readonly status: string;
  readonly runs: number;
  readonly completedRuns: number;
  readonly failure: RecordedFailure | null;
  readonly result: ResultSet;
  readonly highlights: readonly string[];
}

/** What an id of the backend means. */
export interface IdState {
  readonly id: string;
  readonly key: string;
  readonly etag: string | null;
}

export interface RecordedFailure {
  readonly code: string;
  readonly class: string;
  readonly reason: string;
}

export interface ErrorRow extends RecordedFailure {
  readonly messageId: string | null;
  readonly key: string | null;
}

interface VideoRow extends Omit<VideoState, 'result' | 'highlights'> {
  readonly id: string;
  readonly facts: Row;
}

interface FindingRow {
  readonly videoId: string;
  readonly row: Row;
}

/** The store's answers have it in quotes, its events have not. */
const BARE_ETAG = `trim(both '"' from v.etag) AS etag`;

/** What the database says, read past the faults; one that is just restarting is asked again. */
export class Ledger {
  readonly #url: string;
  readonly #schema: string;

  constructor(url: string, schema: string) {
    this.#url = url;
    this.#schema = schema;
  }

  async videos(): Promise<VideoState[]> {
    const videos = await this.#rows<VideoRow>(`
      SELECT v.id, v.key, ${BARE_ETAG}, v.status,
        (SELECT count(*)::int FROM analysis_runs r WHERE r.video_id = v.id) AS runs,
        (SELECT count(*)::int FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'completed') AS "completedRuns",
        (SELECT json_build_object('code', r.failure_code, 'class', r.failure_class, 'reason', r.failure_reason)
           FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'failed' ORDER BY r.fencing_token DESC LIMIT 1) AS failure,
        json_build_object('width', v.width, 'height', v.height, 'frame_rate', v.frame_rate,
          'duration_seconds', v.duration_seconds, 'codec', v.codec, 'container', v.container, 'size_bytes', v.size_bytes,
          'frames', (SELECT max(r.frames) FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'completed')) AS facts
      FROM videos v`);
    const findings = new Map<Table, Map<string, Row[]>>();
    for (const table of TABLES) if (table !== 'video') findings.set(table, await this.#findings(table));
    return videos.map(({ id, facts, ...video }) => {
      const of = (table: Table): readonly Row[] => findings.get(table)?.get(id) ?? [];
      const rows = TABLES.map((table) => [table, table === 'video' ? [facts] : of(table)]);
      const result = Object.fromEntries(rows) as ResultSet;
      const keys = of('action_events').map((row) => row['highlight_key']);
      const highlights = keys.filter((key) => typeof key === 'string');
      return { ...video, result: { ...result, action_events: of('action_events').map(withoutId) }, highlights };
    });
  }

  async ids(): Promise<IdState[]> {
    return await this.#rows<IdState>(
      `SELECT i.external_id AS id, v.key, ${BARE_ETAG} FROM video_ids i JOIN videos v ON v.id = i.video_id`,
    );
  }

  /** Videos that are complete, by key and content. */
  async completed(): Promise<{ key: string; etag: string }[]> {
    return await this.#rows(`SELECT v.key, ${BARE_ETAG} FROM videos v WHERE status = 'completed'`);
  }

  async errors(): Promise<ErrorRow[]> {
    return await this.#rows<ErrorRow>(
      `SELECT message_id AS "messageId", coalesce(e.key, v.key) AS key, code, class, reason
       FROM error_events e LEFT JOIN videos v ON v.id = e.video_id`,
    );
  }

  /**
   * Milliseconds from the death of a run's worker to the start of the run that took the video over, and to the video's
   * completion.
   */
  async recoveries(kills: readonly Kill[]): Promise<{ takeover: number; completion: number }[]> {
    const times: { takeover: number; completion: number }[] = [];
    for (const { workerId, at } of kills) {
      const rows = await this.#rows<{ takeover: number; completion: number }>(
        `SELECT (EXTRACT(EPOCH FROM next.started_at) * 1000 - $2)::float8 AS takeover,
           (EXTRACT(EPOCH FROM v.completed_at) * 1000 - $2)::float8 AS completion
         FROM analysis_runs died JOIN videos v ON v.id = died.video_id JOIN analysis_runs next
           ON next.video_id = died.video_id AND next.fencing_token = died.fencing_token + 1
         WHERE died.worker = $1 AND died.outcome = 'superseded'`,
        [workerId, at],
      );
      times.push(...rows);
    }
    return times;
  }

  /**
   * Seconds of runs by outcome. A run that was taken over counts to the death of its worker, or to its last sign of life:
   * the wait for its successor is nobody's work.
   */
  async seconds(kills: readonly Kill[], aliveSeconds: number): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#rows<{ outcome: string; seconds: number }>(
      `SELECT outcome, sum(EXTRACT(EPOCH FROM CASE WHEN outcome <> 'superseded' THEN finished_at
           ELSE least(finished_at, alive_until - make_interval(secs => $3::float8 * 2 / 3),
             to_timestamp((SELECT k.at FROM unnest($1::text[], $2::float8[]) AS k(worker, at)
               WHERE k.worker = r.worker) / 1000)) END - started_at))::float8 AS seconds
       FROM analysis_runs r GROUP BY outcome`,
      [kills.map(({ workerId }) => workerId), kills.map(({ at }) => at), aliveSeconds],
    );
    return Object.fromEntries(rows.map(({ outcome, seconds }) => [outcome, seconds]));
  }

  async unfinishedRuns(): Promise<number> {
    return await this.#count(`SELECT count(*)::int AS count FROM analysis_runs WHERE outcome = 'running'`);
  }

  /** Connections of workers that the server still has. */
  async connections(): Promise<number> {
    return await this.#count(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'gpu-video-worker'`,
    );
  }

  /** The rows of one table that readers see, by video; without the columns that say only whose they are. */
  async #findings(table: Exclude<Table, 'video'>): Promise<Map<string, Row[]>> {
    const found = await this.#rows<FindingRow>(
      `SELECT t.video_id AS "videoId", to_jsonb(t) - ARRAY['id', 'video_id'] AS row FROM ${table} t`,
    );
    const rows = new Map<string, Row[]>();
    for (const { videoId, row } of found) {
      const all = rows.get(videoId) ?? [];
      rows.set(videoId, all);
      all.push(row);
    }
    return rows;
  }

  async #count(sql: string): Promise<number> {
    const [row] = await this.#rows<{ count: number }>(sql);
    return row?.count ?? 0;
  }

  async #rows<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
      const client = new Client({
        connectionString: this.#url,
        application_name: 'chaos-ledger',
        options: `-c timezone=UTC -c search_path=${this.#schema}`,
      });
      // A server that goes away between two calls must not end this process.
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query(sql, [...values])).rows as T[];
      } catch (error) {
        if (attempt === 20) throw error;
        await new Promise((wake) => setTimeout(wake, 250));
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }
}

/** The key of an image names its video, which is another one in every run. */
function withoutId(row: Row): Row {
  const key = row['highlight_key'];
  return typeof key === 'string' ? { ...row, highlight_key: key.replace(/^(\w+)\/[^/]+\//, '$1/VIDEO/') } : row;
}
