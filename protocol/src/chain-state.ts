import { z } from 'zod';

const time = z.iso.datetime();
const slot = z.number().int().min(0);

/** How payment on chain stands, for who runs the network. */
export const ChainStateView = z
  .object({
    enabled: z.boolean().meta({ description: 'Whether anything is sent to a chain here.' }),
    stopped: z
      .object({ at: time, why: z.string() })
      .nullable()
      .meta({ description: 'Why nothing is posted or claimed, until an admin lets it go on.' }),
    reconciled: z
      .object({ at: time, slot })
      .nullable()
      .meta({ description: 'When ledger and chain were last found to agree, and at which slot.' }),
    cursor: z
      .object({ signature: z.string(), slot })
      .nullable()
      .meta({ description: 'The newest transaction of the network that has been booked.' }),
    underWay: z
      .array(z.object({ purpose: z.string(), signature: z.string(), lastValidHeight: slot }))
      .meta({ description: 'Transactions that could still land.' }),
    failing: z
      .array(
        z.object({ loop: z.string(), since: time, failures: z.number().int(), error: z.string() }),
      )
      .meta({ description: 'Loops that do not reach the chain, and why.' }),
  })
  .meta({ id: 'ChainState' });
export type ChainStateView = z.infer<typeof ChainStateView>;
