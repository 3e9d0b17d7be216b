import { Command, InvalidArgumentError, Option } from 'commander';
import { WEBHOOK_DELIVERY_STATES, WEBHOOK_EVENTS } from '@tidemill/protocol';
import type { Webhook, WebhookDelivery, WebhookEvent } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-code.js';
import { ago } from '../output/quantities.js';
import { wholeNumber } from './options.js';

export const webhooksCommand = (cli: Cli) =>
  new Command('webhooks')
    .description('hear what happens at an address of yours')
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(stateCommand(cli, 'pause', 'send nothing until it is taken up again', false))
    .addCommand(
      stateCommand(cli, 'resume', 'take up an endpoint that was paused or given up', true),
    )
    .addCommand(rotateCommand(cli))
    .addCommand(deleteCommand(cli))
    .addCommand(testCommand(cli))
    .addCommand(deliveriesCommand(cli))
    .addCommand(replayCommand(cli));

const createCommand = (cli: Cli) =>
  new Command('create')
    .description('add an endpoint; its secret is shown this once')
    .argument('<url>', 'where messages are posted')
    .option('--events <events>', 'what to hear of, with commas between (default: all)', asEvents)
    .action(
      cli.act(async (session, url: string, options: { events?: readonly WebhookEvent[] }) => {
        const made = await session.tidemill().webhooks.create(url, options.events);
        session.show(made, () => `${made.id}\n${made.secret}\n`);
        session.remark('The secret is shown this once. It hears of jobs submitted from now on.');
      }),
    );

function asEvents(text: string): WebhookEvent[] {
  const events = text.split(',').map((event) => event.trim());
  const unknown = events.find((event) => !(WEBHOOK_EVENTS as readonly string[]).includes(event));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`The events are ${WEBHOOK_EVENTS.join(', ')}.`);
  return events as WebhookEvent[]; // Each one was looked up.
}

const listCommand = (cli: Cli) =>
  new Command('list').description('list your endpoints').action(
    cli.act(async (session) => {
      const items: Webhook[] = [];
      for await (const endpoint of session.tidemill().webhooks.list()) items.push(endpoint);
      session.show({ items }, () => {
        if (items.length === 0) return 'No endpoints. Add one: tidemill webhooks create URL\n';
        const rows = items.map((endpoint) => [
          endpoint.id,
          endpoint.url,
          endpoint.events.join(' ') || 'all',
          endpoint.enabled ? 'on' : 'off',
          ago(endpoint.failingSince, session.io.nowMs()),
        ]);
        return session.table(['id', 'address', 'events', 'state', 'failing since'], rows);
      });
    }),
  );

const stateCommand = (cli: Cli, name: string, description: string, enabled: boolean) =>
  new Command(name)
    .description(description)
    .argument('<id>', 'the endpoint')
    .action(
      cli.act(async (session, id: string) => {
        const endpoint = await session.tidemill().webhooks.change(id, { enabled });
        session.show(endpoint, () => `${id} is ${endpoint.enabled ? 'on' : 'off'}.\n`);
      }),
    );

const rotateCommand = (cli: Cli) =>
  new Command('rotate')
    .description('a new secret; the one before signs beside it for a day')
    .argument('<id>', 'the endpoint')
    .action(
      cli.act(async (session, id: string) => {
        const rotated = await session.tidemill().webhooks.rotate(id);
        session.show(rotated, () => `${rotated.secret}\n`);
        session.remark(`The secret before signs as well until ${rotated.previousUntil ?? 'now'}.`);
      }),
    );

const deleteCommand = (cli: Cli) =>
  new Command('delete')
    .description('remove an endpoint with its deliveries')
    .argument('<id>', 'the endpoint')
    .action(
      cli.act(async (session, id: string) => {
        await session.tidemill().webhooks.remove(id);
        session.show({ deleted: id }, () => `${id} is removed.\n`);
      }),
    );

const testCommand = (cli: Cli) =>
  new Command('test')
    .description('send a message now and say how it went')
    .argument('<id>', 'the endpoint')
    .action(
      cli.act(async (session, id: string) => {
        const delivery = await session.tidemill().webhooks.test(id);
        session.show(delivery, () => `${delivery.state}: ${lastTry(delivery)}\n`);
        return delivery.state === 'delivered' ? EXIT.succeeded : EXIT.failed;
      }),
    );

const deliveriesCommand = (cli: Cli) =>
  new Command('deliveries')
    .description('what was sent to an endpoint, newest first')
    .argument('<id>', 'the endpoint')
    .addOption(
      new Option('--state <state>', 'only deliveries in this state').choices([
        ...WEBHOOK_DELIVERY_STATES,
      ]),
    )
    .option('--limit <count>', 'at most so many', wholeNumber(1, 200), 20)
    .action(
      cli.act(
        async (
          session,
          id: string,
          options: { state?: WebhookDelivery['state']; limit: number },
        ) => {
          const page = await session.tidemill().webhooks.deliveries(id, options);
          session.show(page, () => {
            const rows = page.items.map((delivery) => [
              delivery.id,
              delivery.type,
              delivery.state,
              delivery.tries.length,
              lastTry(delivery),
              ago(delivery.at, session.io.nowMs()),
            ]);
            return session.table(['id', 'event', 'state', 'tries', 'last try', 'happened'], rows);
          });
        },
      ),
    );

const replayCommand = (cli: Cli) =>
  new Command('replay')
    .description('send a delivery again')
    .argument('<id>', 'the endpoint')
    .argument('<delivery>', 'as deliveries shows it')
    .action(
      cli.act(async (session, id: string, delivery: string) => {
        const again = await session.tidemill().webhooks.replay(id, delivery);
        session.show(again, () => `${again.event} is sent again.\n`);
      }),
    );

function lastTry({ tries }: WebhookDelivery): string {
  const last = tries.at(-1);
  if (last === undefined) return '-';
  return last.error ?? `answered ${last.status} in ${last.ms} ms`;
}
