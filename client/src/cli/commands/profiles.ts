import { Command } from 'commander';
import type { Cli } from '../cli.js';

export const profilesCommand = (cli: Cli) =>
  new Command('profiles')
    .description('the networks you logged in to, and who you are there')
    .addCommand(listCommand(cli), { isDefault: true })
    .addCommand(useCommand(cli))
    .addCommand(removeCommand(cli));

const listCommand = (cli: Cli) =>
  new Command('list').description('list them').action(
    cli.act((session) => {
      const { current, profiles } = session.profiles.all();
      const items = Object.entries(profiles).map(([name, { url, as }]) => ({
        name,
        current: name === current,
        url,
        // A key is shown by its beginning, as `tidemill keys list` does.
        as: 'apiKey' in as ? `API key ${as.apiKey.slice(0, 8)}…` : as.wallet,
      }));
      session.show({ items }, () =>
        items.length === 0
          ? 'No profiles. Make one: tidemill login --profile NAME --url URL\n'
          : session.table(
              ['', 'name', 'network', 'as'],
              items.map((item) => [item.current ? '*' : '', item.name, item.url, item.as]),
            ),
      );
      return Promise.resolve();
    }),
  );

const useCommand = (cli: Cli) =>
  new Command('use')
    .description('make one the profile that commands mean')
    .argument('<name>', 'the profile, as list shows it')
    .action(
      cli.act((session, name: string) => {
        const { url } = session.profiles.use(name);
        session.show({ current: name, url }, () => `Commands now ask ${url}.\n`);
        return Promise.resolve();
      }),
    );

const removeCommand = (cli: Cli) =>
  new Command('remove')
    .description('forget one and its token; the wallet’s key file stays')
    .argument('<name>', 'the profile, as list shows it')
    .action(
      cli.act((session, name: string) => {
        session.profiles.remove(name);
        session.show({ removed: name }, () => `${name} is forgotten.\n`);
        return Promise.resolve();
      }),
    );
