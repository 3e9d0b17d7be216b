import { z } from 'zod';
import { ERRORS, Problem, type ErrorCode } from './errors.js';
import { ROUTES, type Route } from './routes.js';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 description of the API, made from the route table and the zod schemas. The same build gives the same document. */
export function openApiDocument(version: string): Json {
  const schemas = components();
  const paths: Record<string, Json> = {};
  for (const [operationId, route] of Object.entries<Route>(ROUTES)) {
    (paths[route.path] ??= {})[route.method] = operation(operationId, route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidemill',
      version,
      description: 'Submit training and inference jobs to an open GPU compute network, and check every decision.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or the token of a login.' },
      },
    },
  };
}

/** Schemas with an id, as components; references between them point into the document. */
function components(): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
    unrepresentable: 'any',
  });
  const named: Json = {};
  for (const [id, schema] of Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))) {
    named[id] = withoutMeta(schema as Json);
  }
  return named;
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
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: bodyContent(route.body) } }),
    responses: {
      [String(route.status)]: { description: 'Done.', ...(route.response === undefined ? {} : { content: responseContent(route.response) }) },
      ...(route.response === 'bytes' ? { '206': { description: 'The range.', content: responseContent('bytes') } } : {}),
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
  body === 'bytes' ? { 'application/octet-stream': {} } : { 'application/json': { schema: reference(body) } };

function responseContent(response: NonNullable<Route['response']>): Json {
  if (response === 'bytes') return { 'application/octet-stream': {} };
  if (response === 'events') {
    return { 'text/event-stream': { schema: { type: 'string', description: 'Each data line is a JobEvent.' } } };
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
  return withoutMeta(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json);
}

function withoutMeta(schema: Json): Json {
  const { $schema: _, $id: __, id: ___, ...rest } = schema;
  return rest;
}
