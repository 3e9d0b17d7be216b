export * from './provenance/bundle.js';
export type { ProvenanceFault, ProvenanceFaultCode } from './provenance/case.js';
export type { ProvenanceTrust } from './provenance/check-trail.js';
export * from './provenance/receipt-proof.js';
export * from './provenance/verify.js';
