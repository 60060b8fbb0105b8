import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

// For `--import`: puts the folder that NULL_CUDA_BINDING names in the place of the package onnxruntime-node, in this process and its
// worker threads, whoever asks for the package.

const PACKAGE = '/node_modules/onnxruntime-node/';

const folder = process.env['NULL_CUDA_BINDING'];
if (folder === undefined) throw new Error('NULL_CUDA_BINDING is the folder of onnxruntime-node with the CUDA provider');
const binding = pathToFileURL(`${folder}/`).href;

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const resolved = nextResolve(specifier, context);
    const at = resolved.url.lastIndexOf(PACKAGE);
    return at < 0 ? resolved : { ...resolved, url: `${binding}${resolved.url.slice(at + PACKAGE.length)}` };
  },
});
