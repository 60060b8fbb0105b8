import { aroundStages } from '../chain/around-stages.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import { causesOf } from '../failure/causes.ts';
import type { SceneDescriber } from '../analysis/scene-writer.ts';
import type { JobStage } from '../failure/stage.ts';
import type { Frame } from '../video/frame.ts';

/**
 * Remembers where a job is and where an error was thrown. The models of one video run at the same time, so an error is told
 * apart by who threw it and not by what was begun last.
 */
export class JobStages {
  #underWay: JobStage = 'head';
  readonly #thrownIn = new WeakMap<object, JobStage>();

  /** Runs one of the job's own steps: until the next one begins, what nobody has claimed belongs to it. */
  async step<T>(stage: JobStage, work: () => Promise<T>): Promise<T> {
    this.#underWay = stage;
    return await this.within(stage, work);
  }

  /** Runs the work; what it throws belongs to the stage, unless an inner one has claimed it. */
  async within<T>(stage: JobStage, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#note(stage, error);
      throw error;
    }
  }

  async *frames(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
    try {
      yield* frames;
    } catch (error) {
      this.#note('decode', error);
      throw error;
    }
  }

  chain(chain: ModelChain): ModelChain {
    return aroundStages(chain, (stage, work) => this.within(stage, work));
  }

  describer(describer: SceneDescriber | null): SceneDescriber | null {
    if (describer === null) return null;
    return {
      source: describer.source,
      forVideo: () => {
        const session = describer.forVideo();
        return {
          describe: (...args) => this.within('scene', () => session.describe(...args)),
          cost: () => session.cost(),
        };
      },
    };
  }

  /** The stage that threw the error or one of its causes; the step under way when none did. */
  of(error: unknown): JobStage {
    for (const link of causesOf(error)) {
      const stage = this.#thrownIn.get(link);
      if (stage !== undefined) return stage;
    }
    return this.#underWay;
  }

  #note(stage: JobStage, error: unknown): void {
    if (typeof error === 'object' && error !== null && !this.#thrownIn.has(error)) this.#thrownIn.set(error, stage);
  }
}
