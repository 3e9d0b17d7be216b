import { z } from 'zod';
import { JobEvent } from './api.js';
import { ERRORS, Problem, type ErrorCode } from './errors.js';
import { Receipt } from './receipt.js';
import { ROUTES, type Route } from './routes.js';

type Json = Record<string, unknown>;

/** Described though no body has their form: what the events of a job carry, and the texts that workers sign. */
const BESIDE_THE_ROUTES = [JobEvent, Receipt];

/** The OpenAPI 3.1 description of the API, made from the route table and the zod schemas. The same build gives the same document. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [operationId, route] of Object.entries<Route>(ROUTES)) {
    (paths[route.path] ??= {})[route.method] = operation(operationId, route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidemill',
      version,
      description:
        'Submit training and inference jobs to an open GPU compute network, and check every decision.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: components([paths, BESIDE_THE_ROUTES.map(reference)]),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, or the token of a login.',
        },
      },
    },
  };
}

/**
 * The schemas that these parts refer to, and those that they refer to. Others may have an id as well, by whatever else was loaded:
 * they must not change the document.
 */
function components(parts: unknown): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
    unrepresentable: 'any',
  });
  const named = new Map<string, Json>();
  const waiting = [...referredTo(parts)];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (named.has(id)) continue;
    const schema = withoutMeta(schemas[id] as Json); // an id in a reference is an id of the registry
    named.set(id, schema);
    waiting.push(...referredTo(schema));
  }
  return Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function referredTo(part: unknown): Iterable<string> {
  return Array.from(
    JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g),
    ([, id]) => id ?? '',
  );
}

function operation(operationId: string, route: Route): Json {
  const parameters = [
    ...fields('path', route.params),
    ...fields('query', route.query),
    ...fields('header', route.headers),
  ];
  return {
    operationId,
    summary: route.summary,
    tags: [route.tag],
    ...(route.access === 'public' ? {} : { security: [{ bearer: [] }] }),
    'x-access': route.access,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: bodyContent(route.body) } }),
    responses: {
      [String(route.status)]: {
        description: 'Done.',
        ...(route.response === undefined ? {} : { content: responseContent(route.response) }),
      },
      ...(route.response === 'bytes'
        ? { '206': { description: 'The range.', content: responseContent('bytes') } }
        : {}),
      ...problems(route),
    },
  };
}

function fields(place: 'path' | 'query' | 'header', schema: z.ZodObject | undefined): Json[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || !(field as z.ZodType).safeParse(undefined).success,
    schema: reference(field as z.ZodType),
  }));
}

const bodyContent = (body: NonNullable<Route['body']>): Json =>
  body === 'bytes'
    ? { 'application/octet-stream': {} }
    : { 'application/json': { schema: reference(body) } };

function responseContent(response: NonNullable<Route['response']>): Json {
  if (response === 'bytes') return { 'application/octet-stream': {} };
  if (response === 'events') {
    return {
      'text/event-stream': {
        schema: { type: 'string', description: 'Each data line is a JobEvent.' },
      },
    };
  }
  if (response === 'lines') {
    return {
      'application/x-ndjson': {
        schema: {
          type: 'string',
          description: 'Lines of JSON: { checkpoint, witnesses } first, then { event } for each.',
        },
      },
    };
  }
  return { 'application/json': { schema: reference(response) } };
}

/** One answer per status; every answer that is not the wished one is a problem document with one of the listed codes. */
function problems(route: Route): Json {
  const always: ErrorCode[] = ['VALIDATION_FAILED', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'];
  const asking: ErrorCode[] = route.access === 'public' ? [] : ['UNAUTHENTICATED', 'FORBIDDEN'];
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of [...route.errors, ...asking, ...always]) {
    const { status } = ERRORS[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  const answers: Json = {};
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    answers[String(status)] = {
      description: [...codes].join(', '),
      content: { 'application/problem+json': { schema: reference(Problem) } },
    };
  }
  return answers;
}

function reference(schema: z.ZodType): Json {
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` };
  return withoutMeta(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

function withoutMeta(schema: Json): Json {
  const { $schema: _, $id: __, id: ___, ...rest } = schema;
  return rest;
}
