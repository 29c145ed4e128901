/** HTML that needs no escaping any more. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value in a template. Nothing is written for `undefined` and `false`. */
export type Value = string | number | false | undefined | Html | readonly Html[];

/** Makes HTML of a template. Every value is escaped that is not HTML itself. */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(texts.map((text, at) => text + toText(values[at])).join(''));
}

function toText(value: Value): string {
  if (value === undefined || value === false) {
    return '';
  }
  if (typeof value === 'string' || typeof value === 'number') {
    return escaped(String(value));
  }
  return 'text' in value ? value.text : value.map(({ text }) => text).join('');
}

/** Names of artifacts come from people: characters that turn the direction of writing are shown as signs. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
