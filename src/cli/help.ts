import { type Command, type Described, type Group, isGroup } from './command.js';
import type { Paper } from './paper.js';

const HELP: Described = { '-h, --help': 'prints this help' };

/** Prints how a command, or the commands of a group, are used. */
export function printHelp(words: readonly string[], node: Command | Group, paper: Paper): void {
  const own = isGroup(node)
    ? '<command> [options]'
    : Object.keys({ '[options]': '', ...node.takes }).join(' ');
  paper.say(`Usage: ${words.join(' ')} ${own}`);
  paper.gap();
  paper.say(node.about);
  if (isGroup(node)) {
    const isTop = words.length === 1;
    paper.list('Commands:', {
      ...Object.fromEntries(
        Object.entries(node.commands).map(([name, inner]) => [usageOf(name, inner), inner.about]),
      ),
      'help [command]': 'prints the help of a command',
    });
    if (node.short !== undefined) {
      paper.gap();
      paper.say(`Options without a command are those of ${node.short}:`);
      paper.exact(`  ${words.join(' ')} ${node.example ?? ''}`);
    }
    paper.list('Options:', { ...(isTop && { '-v, --version': 'prints the version' }), ...HELP });
    return;
  }
  paper.list('Arguments:', node.takes ?? {});
  const options = Object.entries(node.options).map(([flag, text]) => [flag.replace('...', ''), text]);
  paper.list('Options:', { ...Object.fromEntries(options), ...HELP });
}

function usageOf(name: string, node: Command | Group): string {
  return [name, ...(isGroup(node) ? ['<command>'] : Object.keys(node.takes ?? {}))].join(' ');
}
