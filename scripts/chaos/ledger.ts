import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type MessageAttributeValue,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Client } from 'pg';
import type { Kill } from './fleet.ts';

export interface VideoState {
  readonly key: string;
  readonly status: string;
  readonly runs: number;
  readonly completedRuns: number;
  /** Frames of the completed run. */
  readonly frames: number | null;
  readonly observations: number;
  readonly tracks: number;
  readonly events: number;
}

/** What database and queues say, read past the faults; a restarting database is asked again. */
export class Ledger {
  readonly #databaseUrl: string;
  readonly #schema: string;
  readonly #sqs: SQSClient;
  readonly #deadLetterUrl: string;
  /** Failure code by id of the original message; a crash between copy and delete may make a second copy. */
  readonly dead = new Map<string, string>();

  constructor(options: { databaseUrl: string; schema: string; sqs: SQSClient; deadLetterUrl: string }) {
    this.#databaseUrl = options.databaseUrl;
    this.#schema = options.schema;
    this.#sqs = options.sqs;
    this.#deadLetterUrl = options.deadLetterUrl;
  }

  async videos(): Promise<VideoState[]> {
    return await this.#rows<VideoState>(`
      SELECT v.key, v.status,
        (SELECT count(*)::int FROM analysis_runs r WHERE r.video_id = v.id) AS runs,
        (SELECT count(*)::int FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'completed') AS "completedRuns",
        (SELECT max(r.frames) FROM analysis_runs r WHERE r.video_id = v.id AND r.outcome = 'completed') AS frames,
        (SELECT count(*)::int FROM observations o WHERE o.video_id = v.id) AS observations,
        (SELECT count(*)::int FROM person_tracks t WHERE t.video_id = v.id) AS tracks,
        (SELECT count(*)::int FROM action_events e WHERE e.video_id = v.id) AS events
      FROM videos v`);
  }

  /** Milliseconds from the death of a run's worker to the start of the run that took the video over. */
  async recoveries(kills: readonly Kill[]): Promise<number[]> {
    const times: number[] = [];
    for (const { workerId, at } of kills) {
      const rows = await this.#rows<{ ms: number }>(
        `SELECT (EXTRACT(EPOCH FROM next.started_at) * 1000 - $2)::float8 AS ms
         FROM analysis_runs died JOIN analysis_runs next
           ON next.video_id = died.video_id AND next.fencing_token = died.fencing_token + 1
         WHERE died.worker = $1 AND died.outcome = 'superseded'`,
        [workerId, at],
      );
      times.push(...rows.map(({ ms }) => ms));
    }
    return times;
  }

  async unfinishedRuns(): Promise<number> {
    const [row] = await this.#rows<{ count: number }>(
      `SELECT count(*)::int AS count FROM analysis_runs WHERE outcome = 'running'`,
    );
    return row?.count ?? 0;
  }

  /** Connections of workers that the server still has. */
  async connections(): Promise<number> {
    const [row] = await this.#rows<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'gpu-video-worker'`,
    );
    return row?.count ?? 0;
  }

  async queued(queueUrl: string): Promise<number> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const answer = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(answer.Attributes?.[name] ?? 0), 0);
  }

  /** Takes what is new in the dead-letter queue into `dead`. */
  async readDead(): Promise<void> {
    for (;;) {
      const { Messages = [] } = await this.#sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: this.#deadLetterUrl,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
        }),
      );
      if (Messages.length === 0) return;
      for (const { MessageAttributes: attributes = {}, ReceiptHandle } of Messages) {
        this.dead.set(originalId(attributes), attributes['failure_code']?.StringValue ?? 'without a code');
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl: this.#deadLetterUrl, ReceiptHandle }));
      }
    }
  }

  async #rows<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
      const client = new Client({
        connectionString: this.#databaseUrl,
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
        await new Promise((resolve) => setTimeout(resolve, 250));
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }
}

/** Beside many attributes of the sender's the facts are folded into one. */
function originalId(attributes: Readonly<Record<string, MessageAttributeValue>>): string {
  const folded = JSON.parse(attributes['failure_context']?.StringValue ?? '{}') as { original_message_id?: string };
  return attributes['original_message_id']?.StringValue ?? folded.original_message_id ?? 'without an original id';
}
