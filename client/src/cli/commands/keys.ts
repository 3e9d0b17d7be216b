import { Command } from 'commander';
import { SCOPES } from '@tidemill/protocol';
import type { ApiKey, Scope } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { CliError } from '../failure.js';
import { ago } from '../output/quantities.js';
import { duration } from './options.js';

/** What a program needs to submit jobs and fetch what they made; it cannot make further keys. */
const USUAL_SCOPES: readonly Scope[] = [
  'jobs:read',
  'jobs:write',
  'artifacts:read',
  'artifacts:write',
  'account:read',
];

export const keysCommand = (cli: Cli) =>
  new Command('keys')
    .description('API keys for programs')
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(rotateCommand(cli))
    .addCommand(revokeCommand(cli));

const createCommand = (cli: Cli) =>
  new Command('create')
    .description('make a key; it is shown this once')
    .argument('<name>', 'to recognise it by')
    .option('--scopes <scopes>', 'what it may do, with commas between', asScopes, USUAL_SCOPES)
    .option('--expires-in <duration>', 'when it ends, such as 12h (default: never)', duration)
    .action(
      cli.act(
        async (
          session,
          name: string,
          options: { scopes: readonly Scope[]; expiresIn?: number },
        ) => {
          const key = await session.tidemill().keys.create({
            name,
            scopes: [...options.scopes],
            ...(options.expiresIn === undefined
              ? {}
              : { expiresAt: new Date(session.io.nowMs() + options.expiresIn).toISOString() }),
          });
          session.show(key, () => `${key.key}\n`);
          session.remark(`It is shown this once. Use it: export TIDEMILL_API_KEY=… or --api-key.`);
        },
      ),
    );

function asScopes(text: string): Scope[] {
  const scopes = text.split(',').map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown !== undefined) {
    throw new CliError(
      `There is no scope ${JSON.stringify(unknown)}.`,
      `The scopes are ${SCOPES.join(', ')}.`,
    );
  }
  return scopes as Scope[]; // Each one was looked up.
}

const listCommand = (cli: Cli) =>
  new Command('list').description('list your keys').action(
    cli.act(async (session) => {
      const items: ApiKey[] = [];
      for await (const key of session.tidemill().keys.list()) items.push(key);
      session.show({ items }, () => {
        if (items.length === 0) return 'No keys. Make one: tidemill keys create NAME\n';
        const now = session.io.nowMs();
        const rows = items.map((key) => [
          key.id,
          key.name,
          `${key.prefix}…`,
          key.scopes.join(' '),
          ago(key.lastUsedAt, now),
          key.expiresAt ?? 'never',
        ]);
        return session.table(['id', 'name', 'key', 'scopes', 'used', 'ends'], rows);
      });
    }),
  );

const rotateCommand = (cli: Cli) =>
  new Command('rotate')
    .description('a new key like this one, which ends after a grace period')
    .argument('<id>', 'the key, as list shows it')
    .option('--grace <duration>', 'how long the old one is still good', duration, 24 * 3_600_000)
    .action(
      cli.act(async (session, id: string, { grace }: { grace: number }) => {
        const key = await session.tidemill().keys.rotate(id, Math.floor(grace / 1_000));
        session.show(key, () => `${key.key}\n`);
        session.remark(`It is shown this once. ${id} is still good for ${grace / 1_000} s.`);
      }),
    );

const revokeCommand = (cli: Cli) =>
  new Command('revoke')
    .description('end a key at once')
    .argument('<id>', 'the key, as list shows it')
    .action(
      cli.act(async (session, id: string) => {
        await session.tidemill().keys.revoke(id);
        session.show({ revoked: id }, () => `${id} is revoked.\n`);
      }),
    );
