/**
 * Names the pages of the reference after what users know: an entry after its specifier, and a guide after its first
 * heading. The reference is built with the option `specifiers`, which has the specifier of each entry's file.
 */
import { Converter, ParameterType } from 'typedoc';

const HEADING = /^# (.*)\n+/;

export function load(app) {
  app.options.addDeclaration({
    name: 'specifiers',
    help: 'The specifiers of entries by their files in src.',
    type: ParameterType.Mixed,
    defaultValue: {},
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const specifiers = app.options.getValue('specifiers');
    for (const module of project.children ?? []) {
      module.name = specifiers[module.name] ?? module.name;
    }
    for (const document of project.documents ?? []) {
      const [part] = document.content;
      document.name = HEADING.exec(part.text)?.[1].replaceAll('`', '') ?? document.name;
      part.text = part.text.replace(HEADING, '');
    }
  });
}
