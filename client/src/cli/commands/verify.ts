import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { verifyJobCommand } from './verify-job.js';
import { verifyPayoutCommand } from './verify-payout.js';
import { verifyTrailCommand } from './verify-trail.js';

export const verifyCommand = (cli: Cli) =>
  new Command('verify')
    .description('check what the network decided, trusting nobody')
    .addCommand(verifyJobCommand(cli))
    .addCommand(verifyPayoutCommand(cli))
    .addCommand(verifyTrailCommand(cli));
