import { Client } from 'pg';
import type { Kill } from './fleet.ts';
import { eventTexts, type EventFacts, type ResultSet } from './result-set.ts';

export interface VideoState {
  readonly key: string;
  readonly status: string;
  readonly runs: number;
  readonly completedRuns: number;
  readonly failure: RecordedFailure | null;
  readonly result: ResultSet;
  readonly highlights: readonly string[];
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

interface VideoRow {
  readonly key: string;
  readonly externalId: string;
  readonly status: string;
  readonly runs: number;
  readonly completedRuns: number;
  readonly failure: RecordedFailure | null;
  readonly frames: number | null;
  readonly tracks: number;
  readonly observations: number;
  readonly overlaps: number;
  readonly scenes: number;
  readonly events: readonly EventFacts[];
}

const COUNTED = {
  tracks: 'person_tracks',
  observations: 'observations',
  overlaps: 'person_overlaps',
  scenes: 'scenes',
};

/** What the database says, read past the faults; one that is just restarting is asked again. */
export class Ledger {
  readonly #url: string;
  readonly #schema: string;

  constructor(url: string, schema: string) {
    this.#url = url;
    this.#schema = schema;
  }

  async videos(): Promise<VideoState[]> {
    const counts = Object.entries(COUNTED).map(
      ([name, table]) => `(SELECT count(*)::int FROM ${table} t WHERE t.video_id = v.id) AS ${name}`,
    );
    const rows = await this.#rows<VideoRow>(`
      SELECT v.key, v.external_id AS "externalId", v.status, ${counts.join(', ')},
        (SELECT count(*)::int FROM analysis_runs r WHERE r.video_id = v.id) AS runs,
        (SELECT count(*)::int FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'completed') AS "completedRuns",
        (SELECT max(r.frames) FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'completed') AS frames,
        (SELECT json_build_object('code', r.failure_code, 'class', r.failure_class, 'reason', r.failure_reason)
           FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'failed' ORDER BY r.fencing_token DESC LIMIT 1) AS failure,
        (SELECT coalesce(json_agg(json_build_object('type', e.type, 'track', e.track, 'frameIndex', e.frame_index,
           'highlightKey', e.highlight_key)), '[]') FROM action_events e WHERE e.video_id = v.id) AS events
      FROM videos v`);
    return rows.map(({ key, externalId, status, runs, completedRuns, failure, events, ...counted }) => ({
      key,
      status,
      runs,
      completedRuns,
      failure,
      result: { ...counted, events: eventTexts(events, externalId) },
      highlights: events.flatMap(({ highlightKey }) => (highlightKey === null ? [] : [highlightKey])),
    }));
  }

  async completedKeys(): Promise<string[]> {
    const rows = await this.#rows<{ key: string }>(`SELECT key FROM videos WHERE status = 'completed'`);
    return rows.map(({ key }) => key);
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
