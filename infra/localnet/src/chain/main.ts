import { parseArgs } from 'node:util';
import { startChain } from './start-chain.js';

// The embedded chain as a process of its own: node main.js --port 8899 --dir DIR --program ID=FILE.so

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8899' },
    dir: { type: 'string' },
    'slot-ms': { type: 'string', default: '400' },
    'finalize-slots': { type: 'string', default: '0' },
    program: { type: 'string', multiple: true, default: [] },
  },
});
const running = await startChain({
  port: Number(values.port),
  slotMs: Number(values['slot-ms']),
  finalizeSlots: BigInt(values['finalize-slots']),
  ...(values.dir === undefined ? {} : { dir: values.dir }),
  programs: values.program.map((text) => {
    const [id = '', path = ''] = text.split('=');
    return { id, path };
  }),
});
console.log(`an emulated Solana chain answers at ${running.rpcUrl} and ${running.wsUrl}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void running.close().then(() => process.exit(0)));
