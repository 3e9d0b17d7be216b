import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Tidemill } from '../../sdk/tidemill.js';
import type { Cli } from '../cli.js';
import { openWallet } from '../config/wallet.js';
import { CliError } from '../failure.js';
import type { Session } from '../session.js';

interface LoginOptions {
  readonly key?: string;
  readonly audience?: string;
  readonly withApiKey?: true;
}

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
    .option(
      '--with-api-key',
      'no wallet: keep an API key, of --api-key, TIDEMILL_API_KEY or standard input',
    )
    .addHelpText(
      'after',
      `
The login is kept as a profile, named by --profile or by the host of the address, and becomes the current one.
See tidemill profiles.`,
    )
    .action(
      cli.act((session, options: LoginOptions) =>
        options.withApiKey ? loginWithKey(session) : loginWithWallet(session, options),
      ),
    );

async function loginWithWallet(session: Session, options: LoginOptions): Promise<void> {
  const { io } = session;
  const { name, url } = destination(session);
  const keyFile = options.key
    ? resolve(io.cwd, options.key)
    : join(session.configDir, 'wallet.json');
  const { wallet, created } = openWallet(keyFile);
  if (created)
    session.remark(`Made a wallet: ${keyFile}. Whoever has this file is you; keep a copy.`);
  const audience = options.audience === undefined ? {} : { audience: options.audience };
  const login = await new Tidemill({ url, fetch: io.fetch, ...audience }).login(wallet);
  session.profiles.put(name, {
    url,
    as: { keyFile, wallet: wallet.address, ...audience, ...login },
  });
  session.profiles.use(name);
  const { accountId, expiresAt } = login;
  session.show({ url, profile: name, wallet: wallet.address, accountId, expiresAt }, () =>
    session.facts([
      ['signed in at', url],
      ['profile', name],
      ['wallet', wallet.address],
      ['account', accountId],
      ['token until', expiresAt],
    ]),
  );
}

async function loginWithKey(session: Session): Promise<void> {
  const { name, url } = destination(session);
  const apiKey = session.givenApiKey ?? (await session.io.readSecret('API key: '));
  if (apiKey === '')
    throw new CliError('No API key was given.', 'Pipe it in, or set TIDEMILL_API_KEY.');
  const { id } = await new Tidemill({ url, key: apiKey, fetch: session.io.fetch }).account.get();
  session.profiles.put(name, { url, as: { apiKey } });
  session.profiles.use(name);
  session.show({ url, profile: name, accountId: id }, () =>
    session.facts([
      ['signed in at', url],
      ['profile', name],
      ['account', id],
    ]),
  );
}

/** Where to log in and under which name it is kept: a name that is not known yet takes the address of the flag or the environment. */
function destination(session: Session): { readonly name: string; readonly url: string } {
  const { profileName, profiles } = session;
  const isNew = profileName !== null && profiles.all().profiles[profileName] === undefined;
  const url = isNew ? session.urlWithoutProfile : session.url;
  return { name: profileName ?? profiles.forUrl(url) ?? new URL(url).host, url };
}
