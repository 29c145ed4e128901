import { Html, html, type Value } from './html.js';

/** The path under which the workbench is. */
export const BASE = '/_workbench/';

/** Bundlers rewrite tagged templates with the end of a script, so this one is no tagged template. */
const SCRIPT = new Html(`<script type="module" src="${BASE}client.js"></script>`);

/** The pages, in the order of the menu. */
export const PAGES = [
  ['live', 'Live'],
  ['visitor', 'Visitor'],
  ['allocation', 'Allocation'],
  ['rules', 'Rules'],
  ['changes', 'Changes'],
  ['faults', 'Faults'],
] as const;

/** The name of a page, as it is in its path. */
export type PageName = (typeof PAGES)[number][0];

/** The content of a page. */
export interface Page {
  readonly name: PageName;
  readonly title: string;
  readonly lead: string;
  readonly body: Html;
}

/** Makes the whole document of a page. */
export function toDocument(client: string, { name, title, lead, body }: Page): string {
  const items = PAGES.map(([page, label]) => {
    const current = page === name && html` aria-current="page"`;
    return html`<li><a href="${BASE}${page}"${current}>${label}</a></li>`;
  });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – Workbench</title>
<link rel="stylesheet" href="${BASE}style.css">
<link rel="icon" href="data:,">
${SCRIPT}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p><b>Workbench</b> <span>${client}</span></p>
<nav aria-label="Pages"><ul>${items}</ul></nav>
</header>
<main id="main">
<h1>${title}</h1>
<p class="lead">${lead}</p>
${body}
</main>
</body>
</html>
`.text;
}

/** A labelled field of a form. */
export function field(label: Value, id: string, control: Html): Html {
  return html`<div class="field"><label for="${id}">${label}</label>${control}</div>`;
}

/** A field of text. */
export function textField(label: string, name: string, value: string, hint = ''): Html {
  const control = html`<input id="${name}" name="${name}" value="${value}" placeholder="${hint}" autocomplete="off">`;
  return field(label, name, control);
}

/** A list of choices, each of its value and its words. */
export function choices(
  label: string,
  name: string,
  values: readonly (readonly [value: string, words: string])[],
  chosen: string,
): Html {
  const options = values.map(([value, words]) => {
    const selected = value === chosen && html` selected`;
    return html`<option value="${value}"${selected}>${words}</option>`;
  });
  return field(label, name, html`<select id="${name}" name="${name}">${options}</select>`);
}

/** A message in place of a result. */
export function notice(text: string, kind: 'plain' | 'warn' | 'no' = 'plain'): Html {
  return html`<div class="card"><p class="note ${kind}">${text}</p></div>`;
}

/** A word in a frame; `kind` is the colour of a state. */
export function pill(text: string, kind: 'yes' | 'no' | 'warn' | '' = ''): Html {
  return html`<span class="pill ${kind}">${text}</span>`;
}
