import { parse } from '@babel/parser';

/** A comment or a name that breaks a rule of the house. */
export interface Violation {
  readonly line: number;
  readonly what: string;
}

/** A comment of a file. Line comments that follow each other are one comment. */
interface Comment {
  readonly line: number;
  readonly isDoc: boolean;
  readonly text: string;
}

/**
 * These words begin a fragment, which hangs on the name below it, or put something before the subject. A comment that begins
 * with one is rewritten with its subject first.
 */
const BAD_STARTS = new Set(
  [
    'what whatever whether which who whose whom how why where wherever when whenever',
    'of by for with without from as to in into on at per through under within about among against behind between beside',
    'before after until since while because if unless though although so such than like unlike despite except instead',
    'and but or nor not only even also then otherwise',
  ]
    .join(' ')
    .split(' '),
);

/** Each of these names several things in the code, or nothing that the field calls so. */
const BANNED_WORDS = /^(?:ledger|receiver|course|meet|meets|met|told|repetition|place)s?$/;
/** Geography has places; they are the one thing that may be called so. The local edge answers geo look-ups. */
const HAS_PLACES = /geo|place|src\/testing\//;

const BAD_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/\(\s*(?:see )?spec\b|\bspec \d/i, 'points to a document outside of the repository'],
  [/`[a-z-]+\/[a-z\d-]+`\s*\)|\((?:see )?`[a-z-]+\/[a-z\d-]+`/, 'names a benchmark in code, not in words'],
  [/\bissue #?\d|#\d+\b(?!\})/i, 'points to an issue'],
];

/** Lists everything in a file that breaks a rule for comments or for names. */
export function violationsOf(source: string, path = ''): Violation[] {
  const { tokens, comments } = parse(source, {
    sourceType: 'module',
    plugins: ['typescript', 'explicitResourceManagement'],
    tokens: true,
  });
  return [
    ...joinLines(comments ?? [], source).flatMap((comment) => violationsOfComment(comment)),
    ...(tokens ?? []).flatMap((token: Token) => violationsOfName(token, path)),
  ].sort((a, b) => a.line - b.line);
}

/** The part of the parser's comments and tokens that the rules read. */
interface Token {
  readonly type: string | { readonly label: string };
  readonly value?: unknown;
  readonly start?: number | null;
  readonly end?: number | null;
  readonly loc?: {
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  } | null;
}

function joinLines(tokens: readonly Token[], source: string): Comment[] {
  const comments: (Comment & { end: number; lastLine: number; text: string })[] = [];
  for (const { type, value, loc, start, end } of tokens) {
    if (typeof value !== 'string' || !loc) {
      continue;
    }
    const isLine = type === 'CommentLine';
    const last = comments.at(-1);
    const between = last && source.slice(last.end, start ?? 0);
    if (isLine && last && !last.isDoc && last.lastLine === loc.start.line - 1 && between?.trim() === '') {
      last.text += ` ${value.trim()}`;
      last.lastLine = loc.end.line;
      last.end = end ?? 0;
      continue;
    }
    const isDoc = !isLine && value.startsWith('*');
    const text = isLine ? value.trim() : value.replace(/^\s*\*+ ?/gm, '').trim();
    comments.push({ line: loc.start.line, lastLine: loc.end.line, end: end ?? 0, isDoc, text });
  }
  return comments;
}

/** The text of a comment up to its first tag; `{@link …}` is no tag. */
function descriptionOf(text: string): string {
  const [description = ''] = text.split(/(?:^|\s)@(?!link\b)[a-z_]+/i);
  return description.trim();
}

function violationsOfComment({ line, text }: Comment): Violation[] {
  // Directives of tools are no comments for people.
  if (/^(?:\/|biome-|@|c8|v8)/.test(text) && descriptionOf(text) === '') {
    return [];
  }
  if (text.startsWith('/ <reference')) {
    return [];
  }
  const found: string[] = [];
  const description = descriptionOf(text);
  const [first = ''] = description.match(/[\p{L}\p{N}]+/u) ?? [];
  if (BAD_STARTS.has(first.toLowerCase())) {
    found.push(`begins with "${first}"`);
  } else if (/^\p{Ll}/u.test(description)) {
    found.push('begins with a small letter');
  }
  if (description !== '' && !/[.:!?]$/.test(description)) {
    found.push('does not end with a full stop');
  }
  for (const [pattern, what] of BAD_TEXTS) {
    if (pattern.test(text)) {
      found.push(what);
    }
  }
  return found.map((what) => ({ line, what: `the comment ${what}: ${text.slice(0, 60)}` }));
}

function violationsOfName({ type, value, loc }: Token, path: string): Violation[] {
  const isName = typeof type === 'object' && (type.label === 'name' || type.label === '#name');
  if (!isName || typeof value !== 'string') {
    return [];
  }
  const words = value
    .split(/(?<![A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_|\d+/)
    .map((word) => word.toLowerCase());
  const banned = words.find((word) => BANNED_WORDS.test(word));
  if (banned === undefined || (banned.startsWith('place') && HAS_PLACES.test(path))) {
    return [];
  }
  return [{ line: loc?.start.line ?? 0, what: `the name ${value} has the word "${banned}"` }];
}
