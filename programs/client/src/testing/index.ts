export { TestChain } from './chain.js';
export { lookupTable } from './lookup-table.js';
export { TestNetwork, TIMES } from './network.js';
