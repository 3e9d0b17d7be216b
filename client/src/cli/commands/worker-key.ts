import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { encodeBase58, operatorSigningBytes } from '@tidemill/protocol';
import { createKeyFile, loadSigner } from '@tidemill/protocol/node';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-code.js';
import { CliError } from '../failure.js';
import { openSealedKey, sealKey } from '../owner/key-backup.js';
import { PASSPHRASE, passphraseOf } from '../owner/passphrase.js';
import { sendOrder } from '../owner/send-order.js';
import { FOLDER, WorkerFolder, type FolderOption } from '../owner/worker-folder.js';

interface PassphraseOption extends FolderOption {
  readonly passphraseFile?: string;
}

export const keyCommand = (cli: Cli) =>
  new Command('key')
    .description("back up, restore or replace the worker's key")
    .addCommand(backupCommand(cli))
    .addCommand(restoreCommand(cli))
    .addCommand(rotateCommand(cli));

const backupCommand = (cli: Cli) =>
  new Command('backup')
    .description('write the key to a file that only a passphrase opens')
    .argument('<file>', 'the backup; it must not exist yet')
    .option(...FOLDER)
    .option(...PASSPHRASE)
    .action(
      cli.act(async (session, file: string, options: PassphraseOption) => {
        const folder = new WorkerFolder(session, options);
        const { address } = folder.signer();
        const target = resolve(session.io.cwd, file);
        if (existsSync(target)) throw exists(target);
        const passphrase = await passphraseOf(session, { ...options, twice: true });
        const sealed = await sealKey(readFileSync(folder.keyFile, 'utf8'), address, passphrase);
        // The backup is worth nothing if it cannot be opened, so that is tried at once.
        await openSealedKey(sealed, passphrase);
        writeFileSync(target, sealed, { mode: 0o600, flag: 'wx' });
        session.show({ address, file: target }, () => `${address} is backed up in ${target}\n`);
      }),
    );

const restoreCommand = (cli: Cli) =>
  new Command('restore')
    .description('bring the key back from a backup')
    .argument('<file>', 'the backup')
    .option(...FOLDER)
    .option(...PASSPHRASE)
    .action(
      cli.act(async (session, file: string, options: PassphraseOption) => {
        const folder = new WorkerFolder(session, options);
        folder.mustNotRun();
        if (existsSync(folder.keyFile)) throw exists(folder.keyFile);
        const text = readFileSync(resolve(session.io.cwd, file), 'utf8');
        const { keyText, address } = await openSealedKey(
          text,
          await passphraseOf(session, options),
        );
        mkdirSync(dirname(folder.keyFile), { recursive: true, mode: 0o700 });
        writeFileSync(folder.keyFile, keyText, { mode: 0o600, flag: 'wx' });
        folder.signer();
        session.show({ address, file: folder.keyFile }, () => `${address} is back\n`);
      }),
    );

/** The next key lies in the folder before the network hears of it: whatever breaks off, one of the two is the worker's. */
const rotateCommand = (cli: Cli) =>
  new Command('rotate')
    .description('replace the key; the worker keeps its id, its history and its payout address')
    .option(...FOLDER)
    .action(
      cli.act(async (session, options: FolderOption) => {
        const folder = new WorkerFolder(session, options);
        folder.mustNotRun();
        const waiting = folder.receiptsWaiting();
        if (waiting > 0) throw unsent(waiting);
        const old = folder.signer();
        const nextFile = folder.file('key.next.json');
        const next = existsSync(nextFile) ? loadSigner(nextFile) : createKeyFile(nextFile);
        const id = folder.workerId();
        // An earlier try may have come as far as the network.
        if ((await session.tidemill().workers.get(id)).publicKey !== next.address)
          await sendOrder(session, id, { order: 'key', publicKey: next.address }, old, next);
        const kept = folder.file(`key.${old.address}.json`);
        if (!existsSync(kept)) linkSync(folder.keyFile, kept);
        renameSync(nextFile, folder.keyFile);
        const hadOperator = existsSync(folder.file('operator.json'));
        rmSync(folder.file('operator.json'), { force: true });
        session.show(
          { workerId: id, address: next.address, old: old.address, oldFile: kept },
          () => `${id} works with ${next.address} from now on; the old key is kept in ${kept}\n`,
        );
        session.remark('If earnings went to the old key they still do: tidemill worker payout');
        if (hadOperator)
          session.remark('The operator has to vouch again: tidemill worker operator KEYFILE');
      }),
    );

export const operatorCommand = (cli: Cli) =>
  new Command('operator')
    .description('name the operator of this machine; copies of a task go to different operators')
    .argument('<keyfile>', 'the key that all your machines name; made when absent')
    .option(...FOLDER)
    .action(
      cli.act((session, keyfile: string, options: FolderOption) => {
        const folder = new WorkerFolder(session, options);
        const file = resolve(session.io.cwd, keyfile);
        const operator = existsSync(file) ? loadSigner(file) : createKeyFile(file);
        const worker = folder.signer().address;
        const signature = encodeBase58(operator.sign(operatorSigningBytes(worker)));
        folder.write('operator.json', { publicKey: operator.address, signature });
        session.show(
          { worker, operator: operator.address },
          () => `${worker} names ${operator.address} at its next start\n`,
        );
        return Promise.resolve();
      }),
    );

interface UninstallOptions extends FolderOption {
  readonly force?: boolean;
}

export const uninstallCommand = (cli: Cli) =>
  new Command('uninstall')
    .description('remove the worker from this machine; its key is kept beside its folder')
    .option(...FOLDER)
    .option('--force', 'even if receipts wait that were not paid yet')
    .action(
      cli.act((session, options: UninstallOptions) => {
        const folder = new WorkerFolder(session, options);
        folder.mustNotRun();
        const { address } = folder.signer();
        const waiting = folder.receiptsWaiting();
        if (waiting > 0 && options.force !== true) throw unsent(waiting);
        const kept = `${folder.path}-key-${address}.json`;
        if (existsSync(kept)) throw exists(kept);
        renameSync(folder.keyFile, kept);
        // Only what the agent makes: the folder may be one that holds other things as well.
        for (const name of OWN_FILES) rmSync(folder.file(name), { recursive: true, force: true });
        const receipts = waiting;
        session.show(
          { removed: folder.path, keyFile: kept, receiptsGivenUp: receipts },
          () => `The worker is removed from ${folder.path}; its key is ${kept}\n`,
        );
        session.remark('What it earned stays with the key: keep the file.');
        return Promise.resolve();
      }),
    );

const OWN_FILES = [
  ...['cache', 'work', 'outbox.jsonl', 'outbox.jsonl.new', 'status.json'],
  ...['price.json', 'operator.json', 'notices.jsonl', 'key.json.lock', 'agent.lock'],
];

const exists = (file: string) =>
  new CliError(`${file} exists already.`, 'Move it away, or choose another.', EXIT.failed);

const unsent = (count: number) =>
  new CliError(
    `${count} receipts wait to be sent: that work is not paid yet.`,
    'Start the worker once more and drain it: tidemill worker join, tidemill worker drain',
    EXIT.failed,
  );
