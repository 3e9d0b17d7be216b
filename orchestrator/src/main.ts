#!/usr/bin/env node
import { pino } from 'pino';
import { createApp } from './app.js';
import { readConfig } from './config/env.js';
import { armFaultPoint } from './platform/fault-points.js';

const log = pino({ base: { app: 'orchestrator' } });

const read = readConfig();
if (!read.ok) {
  for (const fault of read.faults) console.error(`tidemill-orchestrator: ${fault}`);
  process.exit(2);
}
if (read.config.faultPoint !== null) armFaultPoint(read.config.faultPoint);
try {
  const app = await createApp(read.config);
  await app.listen(read.config.port, read.config.host);
  log.info({ url: await app.getUrl(), network: read.config.network }, 'listening');
} catch (err) {
  log.fatal({ err }, 'could not start');
  process.exit(1);
}
