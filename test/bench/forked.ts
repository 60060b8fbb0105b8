import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Runs a script in a process of its own and gives the one message that it sends; rejects where it ends without one. */
export async function answerOf<Answer>(
  script: string,
  args: readonly string[],
  execArgv: readonly string[] = [],
): Promise<Answer> {
  const child = fork(script, args, { execArgv: ['--disable-warning=ExperimentalWarning', ...execArgv] });
  const closed = once(child, 'close');
  const [answer] = (await Promise.race([
    once(child, 'message'),
    closed.then(([code]) => Promise.reject(new Error(`${script} ended with status ${String(code)}`))),
  ])) as [Answer];
  await closed;
  return answer;
}
