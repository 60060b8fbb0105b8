import type { FrameHandle, ModelChain } from '../chain/model-chain.ts';

/** A frame handle with several users: it goes back to the chain when the last one has released it. */
export interface SharedFrame {
  readonly handle: FrameHandle;
  retain(): void;
  release(): void;
}

/** Takes over a handle for one user, the caller. */
export function shareFrame(chain: ModelChain, handle: FrameHandle): SharedFrame {
  let users = 1;
  return {
    handle,
    retain() {
      users += 1;
    },
    release() {
      users -= 1;
      if (users === 0) chain.releaseFrame(handle);
    },
  };
}
