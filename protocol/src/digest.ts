import { z } from 'zod';
import { decodeBase58 } from './base58.js';

/** A content address: the SHA-256 of the bytes, in lower-case hex behind its algorithm. */
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'sha256: followed by 64 lower-case hex digits')
  .brand('Digest');
export type Digest = z.infer<typeof Digest>;

/** 32 bytes as 64 lower-case hex digits. */
export const Hex32 = z.string().regex(/^[0-9a-f]{64}$/);

/** A 32-byte public key in base58. */
export const PublicKeyText = z
  .string()
  .regex(/^[1-9A-HJ-NP-Za-km-z]{32,44}$/, 'a public key in base58')
  .refine((text) => decodeBase58(text)?.length === 32, 'a public key has 32 bytes');

/** A 64-byte signature in base58. */
export const SignatureText = z
  .string()
  .regex(/^[1-9A-HJ-NP-Za-km-z]{64,88}$/, 'a signature in base58');
