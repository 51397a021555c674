'use strict';
// edits - bodies gone wrong: each takes the true text and gives {body} (text or bytes) and sometimes headers.

const collection = (text, f) => {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return { body: text };
  }
  f(value);
  return { body: JSON.stringify(value) };
};

const without = (url) => url.replace(/[?&]\$skiptoken=[^&]*/, '');

function nextPage(graph, request, pos) {
  const url = without(request.url),
    path = url.split('?')[0].replace(/^\/v1\.0/, '');
  return graph.origin + url + (url.includes('?') ? '&' : '?') + '$skiptoken=' + graph.sealer.seal({ pos, p: path });
}

const edits = {
  malformed: (text, rule) => ({ body: rule.text ?? text.slice(0, Math.floor(text.length * 0.7)) + '}}]' }),
  cut: (text, rule) => ({ body: text.slice(0, rule.at ?? text.length >> 1) }),
  empty: () => ({ body: '' }),
  html: () => ({
    body: "<!DOCTYPE html><html><body><h1>Our services aren't available right now</h1></body></html>",
    headers: { 'Content-Type': 'text/html' },
  }),
  text: (text, rule) => ({ body: rule.text }),

  // every "property": value becomes the value given (JSON text)
  wrong_types: (text, rule) =>
    collection(text, (v) => {
      if (!rule.property || rule.property === 'value') v.value = rule.value ?? 'not a list';
      else for (const row of Array.isArray(v.value) ? v.value : [v]) row[rule.property] = rule.value ?? 42;
    }),
  duplicate_keys: (text, rule) => ({
    body: text.replaceAll(
      '"' + (rule.property || 'displayName') + '":',
      '"' +
        (rule.property || 'displayName') +
        '":' +
        JSON.stringify(rule.value ?? 'second') +
        ',"' +
        (rule.property || 'displayName') +
        '":',
    ),
  }),
  invalid_utf8: (text, rule) => {
    const bytes = Buffer.from(text),
      at = bytes.indexOf('"' + (rule.property || 'displayName') + '":"');
    const cut = at < 0 ? bytes.length >> 1 : at + (rule.property || 'displayName').length + 4;
    return {
      body: Buffer.concat([bytes.subarray(0, cut), Buffer.from(rule.hex || 'fffec080', 'hex'), bytes.subarray(cut)]),
    };
  },
  deep: (text, rule) => ({
    body: '{"value":' + '['.repeat(rule.depth || 100000) + ']'.repeat(rule.depth || 100000) + '}',
  }),
  wrong_count: (text, rule) =>
    collection(text, (v) => {
      v['@odata.count'] = rule.value ?? (v['@odata.count'] || 0) + 7;
    }),
  no_value: (text) =>
    collection(text, (v) => {
      delete v.value;
    }),
  drop_rows: (text, rule) =>
    collection(text, (v) => {
      v.value = (v.value || []).slice(rule.rows || 1);
    }),
  no_id: (text) =>
    collection(text, (v) => {
      for (const row of v.value || []) delete row.id;
    }),
  replace: (text, rule) => ({ body: text.replace(new RegExp(rule.find, 'g'), rule.with) }),

  // links
  no_next: (text) =>
    collection(text, (v) => {
      delete v['@odata.nextLink'];
    }),
  next_link: (text, rule) =>
    collection(text, (v) => {
      v['@odata.nextLink'] = rule.text;
    }),
  delta_link: (text, rule) =>
    collection(text, (v) => {
      delete v['@odata.nextLink'];
      v['@odata.deltaLink'] = rule.text;
    }),
  loop: (text, rule, request, graph) =>
    collection(text, (v) => {
      v['@odata.nextLink'] = graph.origin + request.url;
    }),
  endless: (text, rule, request, graph) =>
    collection(text, (v) => {
      if (rule.empty) v.value = [];
      v['@odata.nextLink'] = nextPage(graph, request, 0);
    }),
};

module.exports = { edits };
