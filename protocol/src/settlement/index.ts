export * from './leaf.js';
export * from './root-statement.js';
export * from './seeds.js';
export * from './tree.js';
