/** Writes a list of rules as the text of one function. */

const META_TOKENS =
  /^(activity\.(id|name|type)|experience\.(id|name)|location\.(id|name|type)|offer\.(id|name)|option\.(id|name))$/;

/**
 * The text that makes the function of a list: `(request, call, shown) => answer or undefined`.
 * @param {object[]} list
 * @param {{ name: string, mode: 'executed' | 'prefetched', responseTokens: string[], kind: 'mbox' | 'pageLoad' | 'view' }} location
 */
export function ruleListSource(list, location) {
  const rules = list.filter(({ propertyTokens }) => !propertyTokens?.length);
  const allocated = [...new Set(rules.filter(readsAllocation).map(({ activityId }) => activityId))];
  const text = rules.map((rule) => JSON.stringify(rule.condition)).join();
  return `
    const { allocation: allocate, randomUUID } = known;
    ${allocated.map((id) => `const prefix${id} = known.prefixes.get(${id});`).join('\n')}
    return (request, call, shown) => {
      const { user, page } = call.facts;
      const parameters = request.parameters ?? {};
      ${allocated.map((id) => `const allocation${id} = allocate(prefix${id}, call.visitor);`).join('\n')}
      ${text.includes('current_') ? dateSource : ''}
      ${bodySource(rules, location)}
    };`;
}

const dateSource = `
  const date = new Date(call.now);
  const current_timestamp = call.now;
  const current_day = String(date.getUTCDay() || 7);
  const current_time = String(date.getUTCHours()).padStart(2, '0') + String(date.getUTCMinutes()).padStart(2, '0');`;

function bodySource(rules, location) {
  if (location.kind === 'mbox') {
    const cases = rules.map((rule) => `if (${conditionOf(rule)}) { ${foundSource(rule, location)} }`);
    return `${cases.join('\n')} return undefined;`;
  }
  const keys = [...new Set(rules.map(({ ruleKey }) => ruleKey))];
  const given = (rule) => `given${keys.indexOf(rule.ruleKey)}`;
  const cases = rules.map(
    (rule) =>
      `if (!${given(rule)} && ${conditionOf(rule)}) { ${given(rule)} = true; ${addedSource(rule, location)} }`,
  );
  const flags = keys.map((_, index) => `let given${index} = false;`).join(' ');
  const isView = location.kind === 'view';
  return `${flags}
    const options = [];
    const metrics = [];
    ${isView ? 'let found = false;' : 'const metricTokens = new Set();'}
    ${cases.join('\n')}
    ${
      isView
        ? `return found ? { name: ${JSON.stringify(location.name)}, options, metrics } : undefined;`
        : 'return metrics.length > 0 ? { options, metrics } : { options };'
    }`;
}

/** An mbox is answered by its first rule that holds. */
function foundSource(rule, location) {
  const options = optionsOf(rule, location);
  const metrics = clickMetricsOf(rule);
  const isExecuted = location.mode === 'executed';
  return `
    const options = [${options.map(({ source }) => source).join()}];
    ${options.map((_, index) => `call.tokens.push(options[${index}].responseTokens);`).join('\n')}
    ${isExecuted ? owedSource(rule, location) : ''}
    return {
      name: request.name, index: request.index, options,
      ${isExecuted && metrics.length > 0 ? `metrics: ${JSON.stringify(metrics)}` : ''}
    };`;
}

/** A page load and a view gather what all their rules have. */
function addedSource(rule, location) {
  const options = optionsOf(rule, location).map(
    ({ source }) =>
      `{ const option = ${source}; options.push(option); call.tokens.push(option.responseTokens); }`,
  );
  if (location.kind === 'view') {
    const metrics = (rule.consequence.metrics ?? []).map(
      (metric) => `metrics.push(${JSON.stringify(metric)});`,
    );
    return `found = true; ${options.join('\n')} ${metrics.join('\n')}`;
  }
  const metrics = clickMetricsOf(rule).map(
    (metric) => `if (!metricTokens.has(${JSON.stringify(metric.eventToken)})) {
      metricTokens.add(${JSON.stringify(metric.eventToken)});
      metrics.push(${JSON.stringify(metric)});
    }`,
  );
  return `${options.join('\n')} ${metrics.join('\n')} ${owedSource(rule, location)}`;
}

/** The display to report, once per mbox and token in a call. */
function owedSource({ consequence }, location) {
  const tokens = [
    ...new Set((consequence.options ?? []).map(({ eventToken }) => eventToken).filter(Boolean)),
  ];
  if (tokens.length === 0) {
    return '';
  }
  const mbox = JSON.stringify(consequence.name ?? location.name);
  const shown = tokens.map((token) => JSON.stringify(`${consequence.name ?? location.name} ${token}`));
  const notification = (list) => `call.notifications.push({
    id: randomUUID(), impressionId: call.impressionId, timestamp: call.now, type: 'display', mbox: { name: ${mbox} }, tokens: ${list},
  });`;
  if (tokens.length === 1) {
    return `if (!shown.has(${shown[0]})) { shown.add(${shown[0]}); ${notification(JSON.stringify(tokens))} }`;
  }
  const each = tokens.map(
    (token, index) =>
      `if (!shown.has(${shown[index]})) { shown.add(${shown[index]}); fresh.push(${JSON.stringify(token)}); }`,
  );
  return `{ const fresh = []; ${each.join('\n')} if (fresh.length > 0) { ${notification('fresh')} } }`;
}

function clickMetricsOf({ consequence }) {
  return (consequence.metrics ?? []).filter(({ type }) => type === 'click');
}

function optionsOf({ consequence, meta }, { mode, name, responseTokens }) {
  const tokens = Object.fromEntries(
    responseTokens
      .filter((token) => META_TOKENS.test(token) && meta[token] !== undefined)
      .map((token) => [token, meta[token]]),
  );
  tokens['activity.decisioningMethod'] = 'on-device';
  const options = consequence.options ?? [];
  return options
    .map((option, index) => {
      const { eventToken, content, ...rest } = option;
      const display = consequence.metrics?.[index];
      const token = eventToken ?? (display?.type === 'display' ? display.eventToken : undefined);
      const fields = [
        ...Object.entries(rest).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`),
        ...(content === undefined ? [] : [`content: ${contentSource(content, meta, name)}`]),
        ...(mode === 'prefetched' && token ? [`eventToken: ${JSON.stringify(token)}`] : []),
        `responseTokens: ${JSON.stringify(tokens)}`,
      ];
      return { shows: option.type !== undefined || content !== undefined, source: `{ ${fields.join()} }` };
    })
    .filter(({ shows }) => mode === 'prefetched' || shows);
}

/** Content as a literal, with the macros that the artifact knows filled in and the others looked up. */
function contentSource(content, meta, name) {
  if (typeof content === 'string') {
    return textSource(content, meta, name);
  }
  if (Array.isArray(content)) {
    return `[${content.map((item) => contentSource(item, meta, name)).join()}]`;
  }
  if (typeof content !== 'object' || content === null) {
    return JSON.stringify(content);
  }
  const fields = Object.entries(content);
  return `{ ${fields.map(([key, value]) => `${JSON.stringify(key)}: ${contentSource(value, meta, name)}`).join()} }`;
}

function textSource(text, meta, name) {
  const parts = text.split(/(\$\{[A-Za-z0-9_.]*\})/).map((part, index) => {
    if (index % 2 === 0) {
      return JSON.stringify(part);
    }
    const key = macroKey(part.slice(2, -1));
    if (Object.hasOwn(meta, key)) {
      return JSON.stringify(String(meta[key]));
    }
    if (key === 'name') {
      return JSON.stringify(name);
    }
    return `(parameters[${JSON.stringify(key)}] ?? ${JSON.stringify(part)})`;
  });
  return parts.join(' + ');
}

function macroKey(path) {
  const words = path.split('.').map((word) => ({ campaign: 'activity', recipe: 'experience' })[word] ?? word);
  return words
    .slice(-2)
    .filter((word) => word !== 'mbox')
    .join('.');
}

const INFIX = { and: '&&', or: '||', '==': '==', '<': '<', '<=': '<=', '>': '>', '>=': '>=' };

function conditionOf(rule) {
  return conditionSource(rule.condition, `allocation${rule.activityId}`);
}

/** A JSON Logic condition as an expression. */
export function conditionSource(condition, allocation = 'allocation') {
  if (typeof condition !== 'object' || condition === null) {
    return JSON.stringify(condition);
  }
  const [[operator, value]] = Object.entries(condition);
  if (operator === 'var') {
    return variableSource(value, allocation);
  }
  const operands = [value].flat().map((operand) => conditionSource(operand, allocation));
  if (operator === '!') {
    return `!${operands[0]}`;
  }
  if (operator === 'in') {
    return `(${operands[1]} ?? '').includes(${operands[0]})`;
  }
  if (operator === '<=' && operands.length === 3) {
    return `(${operands[0]} <= ${operands[1]} && ${operands[1]} <= ${operands[2]})`;
  }
  return `(${operands.join(` ${INFIX[operator]} `)})`;
}

function variableSource(name, allocation) {
  if (name === 'allocation') {
    return allocation;
  }
  if (name.startsWith('mbox.')) {
    return `parameters[${JSON.stringify(name.slice(5))}]`;
  }
  // No scenario tells where its visitors are.
  if (name.startsWith('geo.')) {
    return 'undefined';
  }
  return name;
}

function readsAllocation({ condition }) {
  return JSON.stringify(condition).includes('"allocation"');
}
