/** HTML that needs no escaping any more. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | boolean | undefined | Html | readonly Html[];

/** HTML of a template, with every value escaped that is not HTML itself. */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(texts.map((text, position) => text + toText(values[position])).join(''));
}

function toText(value: Value): string {
  if (value === undefined) {
    return '';
  }
  if (value instanceof Html) {
    return value.text;
  }
  if (typeof value === 'object') {
    return value.map(toText).join('');
  }
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
