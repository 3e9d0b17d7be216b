import { z } from 'zod';

/** What a confined program finds out about its confinement. */
export const ProbeReport = z.object({
  uid: z.int(),
  /** Effective capabilities, as a hexadecimal mask. */
  capabilities: z.string(),
  noNewPrivileges: z.boolean(),
  hasFilter: z.boolean(),
  interfaces: z.array(z.string()),
  /** Processes it can see. */
  processes: z.int(),
  canReadSecret: z.boolean(),
  canWrite: z.boolean(),
});
export type ProbeReport = z.infer<typeof ProbeReport>;
