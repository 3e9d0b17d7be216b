export * from './trail/chain.js';
export * from './trail/checkpoint.js';
export * from './trail/cosignature.js';
export * from './trail/event.js';
export * from './trail/merkle-proof.js';
export * from './trail/tree-hasher.js';
export * from './trail/verifier.js';
