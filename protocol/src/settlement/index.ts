export * from './leaf.js';
export * from './objection.js';
export * from './root-statement.js';
export * from './seeds.js';
export * from './tree.js';
