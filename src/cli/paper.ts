import { columnsOf, cutTo, toAsciiSigns, toPlainText, toSafeJson, wrapTo } from './plain-text.js';
import type { Output, Shell } from './shell.js';

/** The meaning of a colour. Each is also said by a sign or by words, because not everybody sees colours. */
export type Tone = 'yes' | 'no' | 'warn' | 'soft' | 'title';

/** One line of two columns. The right one is flush, or stands below the left one when both do not fit. */
export interface Row {
  readonly left: string;
  readonly right?: string | undefined;
  /** The number of spaces before the line. @default 0 */
  readonly indent?: number;
  /** The sign before the left column. */
  readonly sign?: string | undefined;
  readonly tone?: Tone | undefined;
  /** True when the left column is a name, which is cut. A sentence is broken into lines instead. */
  readonly isName?: boolean;
  /** True when the right column stays in the first line, beside a sentence of several lines. */
  readonly isBeside?: boolean;
}

const MIN_WIDTH = 60;
const MAX_WIDTH = 120;
const PIPE_WIDTH = 100;
const GAP = 2;

const CODES: Readonly<Record<Tone, string>> = { yes: '32', no: '31', warn: '33', soft: '2', title: '1' };

/** Lays out lines for a terminal or a pipe. Nothing that it is given can act on the terminal. */
export class Paper {
  readonly width: number;
  readonly #output: Output;
  readonly #hasColor: boolean;
  readonly #env: Shell['env'];

  constructor(output: Output, env: Shell['env']) {
    this.#output = output;
    this.width = output.isTTY
      ? Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, output.columns || PIPE_WIDTH))
      : PIPE_WIDTH;
    this.#hasColor = hasColor(output, env);
    this.#env = env;
  }

  /** Prints a row. */
  row({ left, right = '', indent = 0, sign, tone, isName = false, isBeside = false }: Row): void {
    const before = ' '.repeat(indent) + (sign === undefined ? '' : `${this.#show(sign)} `);
    const room = this.width - columnsOf(before);
    const [leftText, rightText] = [this.#show(left), this.#show(right)];
    const rightRoom = rightText === '' ? 0 : columnsOf(rightText) + GAP;
    const isCut = isName && room - rightRoom >= room / 3;
    const name = isName ? cutTo(leftText, isCut ? room - rightRoom : room, this.#show('…')) : leftText;
    const isNarrow = isBeside && rightRoom < room / 2;
    const [first = '', ...more] = wrapTo(name, isNarrow ? room - rightRoom : room);
    const isTogether = (isNarrow || more.length === 0) && columnsOf(first) + rightRoom <= room;
    const rightTone = tone === undefined || tone === 'title' ? 'soft' : tone;
    const space = isTogether ? ' '.repeat(Math.max(0, room - columnsOf(first) - rightRoom + GAP)) : '';
    const end = isTogether && rightText !== '' ? space + this.#paint(rightText, rightTone) : '';
    this.#line(this.#paint(before, tone) + this.#paint(first, tone === 'title' ? tone : undefined) + end);
    const hanging = ' '.repeat(columnsOf(before));
    for (const line of more) {
      this.#line(hanging + this.#paint(line, tone === 'title' ? tone : undefined));
    }
    if (rightText !== '' && !isTogether) {
      for (const line of wrapTo(rightText, room)) {
        const flush = ' '.repeat(Math.max(0, this.width - columnsOf(line)));
        this.#line(flush + this.#paint(line, rightTone));
      }
    }
  }

  /** Prints a sentence. */
  say(left: string, tone?: Tone): void {
    this.row({ left, tone });
  }

  /** Prints a text that people copy, such as a command. It is one line, however wide the paper is. */
  exact(text: string): void {
    this.#line(this.#show(text));
  }

  /** Prints an empty line. */
  gap(): void {
    this.#line('');
  }

  /** Prints texts with their names in a column before them, under a title. Nothing is printed of an empty list. */
  list(title: string, texts: Readonly<Record<string, string>>): void {
    const names = Object.keys(texts);
    const columns = Math.max(...names.map(columnsOf)) + GAP;
    if (names.length > 0) {
      this.gap();
      this.say(title);
    }
    for (const name of names) {
      const [first = '', ...more] = wrapTo(this.#show(texts[name] ?? ''), this.width - columns - GAP);
      const indent = ' '.repeat(GAP);
      this.#line(indent + this.#show(name).padEnd(columns) + first);
      for (const line of more) {
        this.#line(indent + ' '.repeat(columns) + line);
      }
    }
  }

  /** Prints a value as JSON. */
  json(value: unknown): void {
    this.#line(toSafeJson(value));
  }

  /** Makes a bar for a part of 1. */
  bar(share: number, columns: number): string {
    const halves = Math.round(Math.min(1, Math.max(0, share)) * columns * 2);
    const bar = '█'.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? '▌' : '');
    return bar + ' '.repeat(columns - bar.length);
  }

  /** Cuts a name to so many columns, and fills it up with spaces to as many. */
  column(name: string, columns: number): string {
    const cut = cutTo(this.#show(name), columns, this.#show('…'));
    return cut + ' '.repeat(Math.max(0, columns - columnsOf(cut)));
  }

  #show(text: string): string {
    return toShown(text, this.#env);
  }

  #paint(text: string, tone: Tone | undefined): string {
    return this.#hasColor && tone !== undefined && text.trim() !== ''
      ? `\u001b[${CODES[tone]}m${text}\u001b[0m`
      : text;
  }

  #line(text: string): void {
    this.#output.write(`${text.trimEnd()}\n`);
  }
}

/** Makes a text that a terminal can show, and that cannot act on it. */
export function toShown(text: string, env: Shell['env']): string {
  const plain = toPlainText(text);
  return isUtf8(env) ? plain : toAsciiSigns(plain);
}

/**
 * Tells whether to use colours.
 * @see https://no-color.org
 * @see https://nodejs.org/api/tty.html#writestreamgetcolordepthenv
 */
function hasColor(output: Output, { FORCE_COLOR, NO_COLOR, TERM }: Shell['env']): boolean {
  if (FORCE_COLOR !== undefined) {
    return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  }
  if (NO_COLOR !== undefined && NO_COLOR !== '') {
    return false;
  }
  return output.isTTY === true && TERM !== 'dumb' && (output.getColorDepth?.() ?? 1) > 1;
}

/** Tells whether the terminal shows UTF-8. Windows has no locale in its variables, and its terminals show UTF-8. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG, OS }: Shell['env']): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale ? /utf-?8/i.test(locale) : OS === 'Windows_NT';
}
