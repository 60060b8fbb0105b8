const { TestEnvironment } = require('jest-environment-node');

/**
 * Jest runs each file in its own realm, whose typed arrays fail the `instanceof` checks of native
 * bindings (onnxruntime-node, sharp). Handing the outer realm's constructors in keeps those checks true.
 */
class SharedRealmEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of [
      'ArrayBuffer',
      'SharedArrayBuffer',
      'DataView',
      'Uint8Array',
      'Uint8ClampedArray',
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Uint32Array',
      'Int32Array',
      'Float16Array',
      'Float32Array',
      'Float64Array',
      'BigInt64Array',
      'BigUint64Array',
      'Error',
      'Promise',
    ]) {
      if (globalThis[name] !== undefined) this.global[name] = globalThis[name];
    }
  }
}

module.exports = SharedRealmEnvironment;
