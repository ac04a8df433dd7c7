/** Answers of the API against its description. Objects may have no other properties than it says. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describeApi } from '../../tools/openapi/text.ts';

type Content = Record<string, { schema: object }>;
type Operation = { responses: Record<string, { content?: Content }> };

export type DescribedAnswer = { status: number; contentType: string | undefined; text: string };

const document = describeApi(true);
const paths = document.paths as Record<string, Record<string, Operation>>;

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ ...document, $id: 'api' });

/** The validator of a schema in the document, by the names that lead to it. */
const validatorAt = (names: string[]) => {
  const pointer = names.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`api#/${pointer}`);
  if (!validate) throw new Error(`The description has no ${names.join(' ')}.`);
  return validate;
};

/** Validation errors of a value against the schema that these names lead to; `undefined` when it is valid. */
export const faultsOf = (value: unknown, names: string[]): string | undefined => {
  const validate = validatorAt(names);
  if (validate(value)) return undefined;
  return ajv.errorsText(validate.errors, { dataVar: 'body', separator: '\n' });
};

/** Paths without parameters first. */
const patterns = Object.keys(paths)
  .sort((a, b) => Number(a.includes('{')) - Number(b.includes('{')))
  .map((path) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }));

/** Where the description has the responses of a call. */
const operationOf = (method: string, path: string): string[] | undefined => {
  const name = method.toLowerCase();
  const found = patterns.find((one) => one.pattern.test(path) && paths[one.path]?.[name]);
  return found && ['paths', found.path, name];
};

/** The names that lead to the schema of the body; `undefined` for an answer without a body; a text when the answer is not described. */
const schemaOf = (method: string, path: string, answer: DescribedAnswer): string[] | string | undefined => {
  const { status, contentType } = answer;
  const type = contentType?.split(';')[0] ?? 'none';
  const operation = operationOf(method, path);
  // What no function answers.
  if (!operation)
    return type === 'application/problem+json' ? ['components', 'schemas', 'Problem'] : `${type} without such a call`;
  const [, template = '', name = ''] = operation;
  const response = paths[template]?.[name]?.responses[status];
  if (!response) return `the status ${status} is not described`;
  if (!response.content) return undefined;
  if (!response.content[type]) return `the content type ${type} is not described`;
  return [...operation, 'responses', String(status), 'content', type, 'schema'];
};

/** What is wrong with the answer to a call; `undefined` when its status, its content type and its body are as the description says. */
export const faultsOfAnswer = (method: string, path: string, answer: DescribedAnswer): string | undefined => {
  const schema = schemaOf(method, path, answer);
  if (typeof schema === 'string') return schema;
  if (!schema) return answer.text === '' ? undefined : 'a body is not described';
  return faultsOf(answer.contentType?.includes('json') ? JSON.parse(answer.text) : answer.text, schema);
};
