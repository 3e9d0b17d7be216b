import { Argument, Command } from 'commander';
import type { Cli } from '../cli.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const completionCommand = (cli: Cli) => {
  const command = new Command('completion');
  return command
    .description('print what makes a shell complete this command')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
bash: source <(tidemill completion bash)
zsh:  source <(tidemill completion zsh)
fish: tidemill completion fish | source`,
    )
    .action(
      cli.act((session, shell: Shell) => {
        session.io.out(scriptFor(shell, wordsOf(command.parent ?? command)));
        return Promise.resolve();
      }),
    );
};

interface Words {
  /** The command as it is typed, such as `worker key`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly string[];
}

/** What can follow each command: its commands and options. */
function wordsOf(command: Command, path = ''): Words[] {
  const own = command.commands.map((child) => child.name());
  const options = command.options.flatMap(({ long }) => (long ? [long] : []));
  return [
    { path, words: [...own, ...options, '--help'] },
    ...command.commands.flatMap((child) => wordsOf(child, `${path} ${child.name()}`.trim())),
  ];
}

/** Names hold letters and dashes only, so nothing has to be quoted. */
function scriptFor(shell: Shell, all: readonly Words[]): string {
  if (shell === 'fish') {
    const seen = (path: string) =>
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ');
    return all
      .map(
        ({ path, words }) => `complete -c tidemill -f -n '${seen(path)}' -a '${words.join(' ')}'\n`,
      )
      .join('');
  }
  const cases = all
    .map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;\n`)
    .join('');
  const head = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '';
  return `${head}_tidemill() {
  local path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}    *) COMPREPLY=(); return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tidemill tidemill
`;
}
