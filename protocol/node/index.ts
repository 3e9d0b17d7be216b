export { nodeSha256, nodeVerifier, loadSigner, createKeyFile, type Signer } from './node-crypto.js';
