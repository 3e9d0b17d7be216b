import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Tidemill } from '../../sdk/tidemill.js';
import type { Cli } from '../cli.js';
import { rememberNetwork } from '../config/profile.js';
import { openWallet } from '../config/wallet.js';

export const loginCommand = (cli: Cli) =>
  new Command('login')
    .description('sign in with a wallet; it signs one message and moves no money')
    .option(
      '--key <file>',
      'the wallet, a key file as solana-keygen writes it (default: one of its own, made when absent)',
    )
    .option(
      '--audience <host>',
      'the host that the message must name (default: that of the address)',
    )
    .action(
      cli.act(async (session, options: { key?: string; audience?: string }) => {
        const { url, io } = session;
        const keyFile = options.key
          ? resolve(io.cwd, options.key)
          : join(session.configDir, 'wallet.json');
        const { wallet, created } = openWallet(keyFile);
        if (created)
          session.remark(`Made a wallet: ${keyFile}. Whoever has this file is you; keep a copy.`);
        const audience = options.audience === undefined ? {} : { audience: options.audience };
        const login = await new Tidemill({ url, fetch: io.fetch, ...audience }).login(wallet);
        rememberNetwork(session.profileFile, url, {
          keyFile,
          wallet: wallet.address,
          ...audience,
          ...login,
        });
        const { accountId, expiresAt } = login;
        session.show({ url, wallet: wallet.address, accountId, expiresAt }, () =>
          session.facts([
            ['signed in at', url],
            ['wallet', wallet.address],
            ['account', accountId],
            ['token until', expiresAt],
          ]),
        );
      }),
    );
