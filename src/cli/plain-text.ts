import widthOf from 'fast-string-truncated-width';

/**
 * Characters that are no text: control characters, which could move the cursor, those that change the direction of
 * text, and other unseen ones. The joiners stay, because words of some languages and emojis are made with them.
 */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const SPACES = /[\t\r\n\v\f]+/g;
/** No name or sentence of a person is longer. */
const MAX_LENGTH = 4000;

/** Replacements for a terminal that shows ASCII alone. */
const ASCII: Readonly<Record<string, string>> = {
  '✓': '+',
  '✗': 'x',
  '·': '.',
  '→': '->',
  '−': '-',
  '–': '-',
  '…': '...',
  '“': '"',
  '”': '"',
  χ: 'chi',
  '²': '2',
  '█': '#',
  '▌': '',
  '�': '?',
};
const IN_ASCII = new RegExp(`[${Object.keys(ASCII).join('')}]`, 'g');

/** Makes a text safe to print on one line, whoever wrote it. */
export function toPlainText(text: string): string {
  const short = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return short.replace(SPACES, ' ').replace(UNSEEN, '�');
}

/** Writes JSON so that no character of it acts on a terminal. The value stays the same. */
export function toSafeJson(value: unknown): string {
  return escapeUnseen(JSON.stringify(value, undefined, 2));
}

/** Escapes what acts on a terminal in the text of JSON, where it can be in strings alone. The value stays the same. */
export function escapeUnseen(json: string): string {
  return json.replace(UNSEEN, (found) =>
    /[\t\r\n]/.test(found)
      ? found
      : [...Array(found.length).keys()]
          .map((at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join(''),
  );
}

/** Replaces the signs that this program prints by ASCII ones. */
export function toAsciiSigns(text: string): string {
  return text.replace(IN_ASCII, (sign) => ASCII[sign] ?? sign);
}

/** Returns the number of columns of a text. */
export function columnsOf(text: string): number {
  return widthOf(text).width;
}

/** Cuts a text that is wider than so many columns, and marks that by its end. */
export function cutTo(text: string, columns: number, ellipsis: string): string {
  const { truncated, index } = widthOf(text, { limit: Math.max(columns, ellipsis.length), ellipsis });
  return truncated ? text.slice(0, index) + ellipsis : text;
}

/** Breaks a text into lines of at most so many columns, at spaces where there are any. */
export function wrapTo(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (columnsOf(longer) <= columns) {
      line = longer;
      continue;
    }
    if (line !== '') {
      lines.push(line);
    }
    const pieces = piecesOf(word, columns);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  lines.push(line);
  return lines;
}

function piecesOf(word: string, columns: number): string[] {
  const pieces: string[] = [];
  let rest = word;
  while (columnsOf(rest) > columns) {
    const { index } = widthOf(rest, { limit: columns });
    const end = Math.max(1, index);
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...pieces, rest];
}
