export { RpcError } from './rpc-error.js';
export { type RunningChain, startChain, type StartChainOptions } from './start-chain.js';
