#!/usr/bin/env node
import { homedir } from 'node:os';
import { environment } from './config/environment.js';
import { processIo } from './io.js';
import { run } from './run.js';

// Not process.exit: what was written to a pipe has to leave first.
process.exitCode = await run(process.argv.slice(2), processIo(homedir(), environment()));
