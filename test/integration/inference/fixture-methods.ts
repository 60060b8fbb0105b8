import type { Method } from '../../../src/inference/thread/protocol.ts';

interface Call<Request, Response> extends Method {
  readonly request: Request;
  readonly response: Response;
}

export interface FixtureMethods {
  readonly times10: Call<{ readonly items: readonly number[] }, readonly number[]>;
  readonly batches: Call<null, readonly (readonly number[])[]>;
  readonly block: Call<{ readonly milliseconds: number }, number>;
  readonly convolve: Call<null, number>;
  readonly reverse: Call<{ readonly bytes: Uint8Array }, Uint8Array>;
  readonly bug: Call<null, void>;
  readonly die: Call<null, void>;
}
