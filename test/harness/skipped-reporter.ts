/** What is read here of Jest's result of a run. */
interface RunResult {
  readonly testResults: readonly {
    readonly testResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly ancestorTitles: readonly string[];
      readonly fullName: string;
    }[];
  }[];
}

/** A reason in brackets at the end of a title: `reads a ramp (no files in DIR; set STREET_DIR)`. */
const REASON = /\(([^()]*)\)$/;

/** Says at the end of a run what was skipped, and why: Jest itself tells only how many. */
// oxlint-disable-next-line import/no-default-export -- Jest takes a reporter by its default export.
export default class SkippedReporter {
  onRunComplete(_contexts: unknown, run: RunResult): void {
    const counts = new Map<string, number>();
    for (const test of run.testResults.flatMap((file) => file.testResults)) {
      if (test.status !== 'pending') continue;
      const reasons = [...test.ancestorTitles, test.title].map((title) => REASON.exec(title)?.[1]);
      const why = reasons.findLast((reason) => reason !== undefined) ?? `"${test.fullName}", which gives no reason`;
      counts.set(why, (counts.get(why) ?? 0) + 1);
    }
    for (const [why, count] of counts) process.stderr.write(`skipped ${count}: ${why}\n`);
  }
}
