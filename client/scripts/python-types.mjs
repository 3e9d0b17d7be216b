const NOTICE = `"""Generated from orchestrator/openapi.json by client/scripts/generate.mjs; not edited by hand."""`;
const SCALARS = { string: 'str', integer: 'int', number: 'float', boolean: 'bool', null: 'None' };
/** What an empty schema allows. */
const ANYTHING = 'Any';

/** The API's schemas as Python types: objects become TypedDicts, the rest aliases. The same document gives the same text. */
export function pythonTypes({ components: { schemas } }) {
  const writer = new Writer();
  // Names first, since a type that is not an object is an alias and must stand below what it uses.
  const aliases = [];
  for (const [name, schema] of Object.entries(schemas)) {
    if (isRecord(schema)) writer.record(name, schema);
    else aliases.push([name, schema]);
  }
  for (const [name, schema] of aliases) writer.alias(name, schema);
  const imports = [
    'from __future__ import annotations',
    '',
    'from typing import Any, Literal, TypedDict, Union',
  ];
  // NotRequired came to the standard library with Python 3.11.
  const required = ['from typing_extensions import NotRequired'];
  return `${[NOTICE, '', ...imports, '', ...required, '', ...writer.lines].join('\n').trimEnd()}\n`;
}

const isRecord = ({ type, properties }) => type === 'object' && properties !== undefined;

class Writer {
  lines = [];

  record(name, { properties, required = [], description }) {
    const members = Object.entries(properties).map(([member, schema]) => {
      const type = this.type(schema, name + capital(member));
      return [member, required.includes(member) ? type : `NotRequired[${type}]`];
    });
    // In the form of a call, a member may be called as the API calls it, were it a word of Python.
    this.lines.push('', `${name} = TypedDict(`, `    ${quoted(name)},`, '    {');
    for (const [member, type] of members) this.lines.push(`        ${quoted(member)}: '${type}',`);
    this.lines.push('    },', ')');
    if (description !== undefined) this.lines.push(`"""${description}"""`);
  }

  alias(name, schema) {
    this.lines.push('', `${name} = ${this.type(schema, name)}`);
  }

  /** The type of a schema as text. An object inside another one gets a name of its own. */
  type(schema, name) {
    if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices !== undefined)
      return union(
        choices.map((one, i) => this.type(one, choices.length > 2 ? `${name}${i + 1}` : name)),
      );
    if (schema.const !== undefined) return `Literal[${quoted(schema.const)}]`;
    if (schema.enum !== undefined) return `Literal[${schema.enum.map(quoted).join(', ')}]`;
    if (Array.isArray(schema.type))
      return union(schema.type.map((type) => this.type({ ...schema, type }, name)));
    if (isRecord(schema)) {
      this.record(name, schema);
      return name;
    }
    if (schema.type === 'object')
      return `dict[str, ${this.type(schema.additionalProperties || {}, `${name}Value`)}]`;
    if (schema.type === 'array') return `list[${this.type(schema.items ?? {}, `${name}Item`)}]`;
    return SCALARS[schema.type] ?? ANYTHING;
  }
}

const union = (types) => {
  const different = [...new Set(types)];
  return different.length === 1 ? different[0] : `Union[${different.join(', ')}]`;
};
const quoted = (value) => JSON.stringify(value);
const capital = (text) =>
  text.replace(/(?:^|[^A-Za-z0-9])([A-Za-z0-9])/g, (_, letter) => letter.toUpperCase());
