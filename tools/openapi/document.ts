/** The description of the HTTP API, as OpenAPI 3.1. */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { type Access, type Answer, type CallDescription, calls, tags } from './calls.ts';
import { ofAnyCall, ofBodies, ofKeys, ofTokens, type ProblemCode, problems, problemTexts } from './problems.ts';

type Json = { [name: string]: unknown };

/** With `type` in its `meta`, a text of the path or the query is described as what it stands for. */
const asMeant: z.core.ToJSONSchemaParams['override'] = ({ jsonSchema }) => {
  if (jsonSchema.type === 'integer' || jsonSchema.type === 'number') delete jsonSchema.pattern;
  // Several patterns that one pattern in its `meta` sums up.
  if (jsonSchema.pattern && jsonSchema.allOf?.every(({ pattern }) => pattern)) delete jsonSchema.allOf;
};

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** References into `#/$defs` point to the components, and `additionalProperties: false` goes where answers may gain fields. */
const adapt = (value: unknown, open: boolean): unknown => {
  if (Array.isArray(value)) return value.map((item) => adapt(item, open));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => !(name === '$schema' || (open && name === 'additionalProperties' && item === false)))
      .map(([name, item]) => [
        name,
        name === '$ref' ? String(item).replace('#/$defs/', '#/components/schemas/') : adapt(item, open),
      ]),
  );
};

type DocumentOptions = {
  version: string;
  /** The text of docs/http-api.md. */
  page: string;
  /** Objects have no other properties than those described: for tests. Clients must ignore the ones that they do not know. */
  closed?: boolean;
};

class Components {
  readonly schemas: Json = {};
  readonly #open: boolean;

  constructor(open: boolean) {
    this.#open = open;
  }

  /** The JSON Schema. What has an `id` in its `meta` becomes a component. */
  of(schema: z.ZodType): Json {
    const { $defs = {}, ...own } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: asMeant });
    for (const [name, definition] of Object.entries($defs)) this.schemas[name] = adapt(definition, this.#open);
    const { id, ...adapted } = adapt(own, this.#open) as Json;
    if (typeof id !== 'string') return adapted;
    this.schemas[id] = adapted;
    return { $ref: `#/components/schemas/${id}` };
  }
}

const parametersIn = (where: 'path' | 'query' | 'header', schema: z.ZodObject | undefined, components: Components) => {
  if (!schema) return [];
  const { properties = {}, required = [] } = components.of(schema) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...described } = property as Json;
    return { name, in: where, required: where === 'path' || required.includes(name), description, schema: described };
  });
};

const securityOf = ({ token, key, operator }: Access): Json[] => {
  const schemes = [...(token ? [{ token: [] }] : []), ...(key || operator ? [{ key: [] }] : [])];
  return operator === 'asked' ? [...schemes, { token: [] }] : schemes;
};

const codesOf = ({ access, body, problems: own }: CallDescription): ProblemCode[] => {
  const { token, key, operator } = access;
  const isPublic = !token && !key && !operator;
  const ofAccess: ProblemCode[] = [
    ...(isPublic ? [] : ofTokens),
    ...(key || operator ? ofKeys : []),
    ...(token && !operator ? (['key-not-accepted'] as const) : []),
    ...(key ? (['key-required'] as const) : []),
    ...(operator ? (['not-an-operator', 'no-such-user', 'ambiguous-user'] as const) : []),
  ];
  return [...new Set([...own, ...ofAccess, ...(body ? ofBodies : []), ...ofAnyCall])].sort();
};

const text = { type: 'string' };
const problemHeaders: Record<number, Json> = {
  401: { 'WWW-Authenticate': { description: 'Always `Bearer`.', schema: text } },
  405: { Allow: { description: 'The methods that the path has.', schema: text } },
  429: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 0 } } },
  503: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 0 } } },
};

const problemResponse = (status: number, codes: ProblemCode[]): Json => ({
  description: codes.map((code) => `\`${code}\``).join(', '),
  ...(problemHeaders[status] && { headers: problemHeaders[status] }),
  content: {
    'application/problem+json': {
      schema: {
        allOf: [{ $ref: '#/components/schemas/Problem' }],
        properties: { status: { const: status }, code: { enum: codes } },
      },
      examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
    },
  },
});

const problemExamples = (texts: Record<string, string>): Json =>
  Object.fromEntries(
    Object.entries(problems).map(([code, status]) => [
      code,
      { summary: texts[code], value: { type: 'about:blank', title: STATUS_CODES[status], status, code } },
    ]),
  );

const etag = { ETag: { description: 'For `If-None-Match`.', schema: { type: 'string' } } };

const answerResponse = (answer: Answer, components: Components): Json => {
  const { says, schema, example, contentType = 'application/json', isFile, stream } = answer;
  return {
    description: says,
    ...(isFile && { headers: etag }),
    ...(schema && {
      content: {
        [contentType]: { schema: components.of(schema), ...(example !== undefined && { example }) },
        ...(stream !== undefined && { 'text/event-stream': { schema: { type: 'string' }, example: stream } }),
      },
    }),
  };
};

/** No function sees such a call: the server refuses it while it reads the head. */
const headTooLarge = {
  description: 'The path, the query and the headers together have more than 16 KiB. Without a body.',
};

const responsesOf = (call: CallDescription, components: Components): Json => {
  const byStatus = Map.groupBy(codesOf(call), (code) => problems[code]);
  const refused = [...byStatus].map(([status, codes]) => [status, problemResponse(status, codes)] as const);
  const responses: Record<number, Json> = { ...Object.fromEntries(refused), 431: headTooLarge };
  for (const [status, answer] of Object.entries(call.answers)) {
    const { content, ...response } = answerResponse(answer, components) as { content?: Json };
    const problem = responses[Number(status)]?.content as Json | undefined;
    responses[Number(status)] = { ...response, ...((content || problem) && { content: { ...content, ...problem } }) };
  }
  return responses;
};

const operationOf = (call: CallDescription, components: Components): Json => {
  const { id, tag, summary, access, path, query, headers, body } = call;
  const parameters = [
    ...parametersIn('path', path, components),
    ...parametersIn('query', query, components),
    ...parametersIn('header', headers, components),
  ];
  return {
    ...{ operationId: id, tags: [tag], summary, security: securityOf(access) },
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: !body.optional,
        content: { 'application/json': { schema: components.of(body.schema), example: body.example } },
      },
    }),
    responses: responsesOf(call, components),
  };
};

const problemSchema = (closed: boolean) => ({
  type: 'object',
  description: 'RFC 9457. Programs rely on `code`; texts may change.',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(problems) },
    detail: { type: 'string' },
  },
  ...(closed && { additionalProperties: false }),
});

const pathsOf = (components: Components): Json => {
  const paths: Record<string, Json> = {};
  for (const [route, call] of Object.entries(calls)) {
    // A parameter of OpenAPI matches no more than one part of a path, and has no plus.
    const [method = '', path = ''] = route.replace('{proxy+}', '{path}').split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(call, components) };
  }
  return paths;
};

const introduction = [
  'Requests and answers are JSON. Unknown fields are ignored, and clients must ignore the ones that they do not know. All times are ISO 8601 in UTC.',
  'A user logs in and calls with the token of the session. A back end calls with an API key, for users that it names itself.',
  'Errors are `application/problem+json` with a stable `code`. Each status of a call lists the codes that it may have.',
].join('\n\n');

export const openApiDocument = ({ version, page, closed = false }: DocumentOptions) => {
  const components = new Components(!closed);
  const paths = pathsOf(components);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Lanekeeper',
      version,
      summary: 'Every user a queue of their own: strictly ordered, one at a time, in parallel across users.',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The token of `POST /login`.' },
        key: { type: 'http', scheme: 'bearer', description: 'An API key, `lk_…`.' },
      },
      schemas: { Problem: problemSchema(closed), ...components.schemas },
      examples: problemExamples(problemTexts(page)),
    },
  };
};
